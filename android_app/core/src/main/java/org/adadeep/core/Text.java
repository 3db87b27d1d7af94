package org.adadeep.core;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;

/** Texts: bytes to characters and back, and how foreign ones are shown. */
public final class Text {
    static final Charset UTF_8 = Charset.forName("UTF-8");
    static final Charset ASCII = Charset.forName("US-ASCII");

    private Text() {}

    /** Bytes as UTF-8; what is none is replaced. */
    static String replaced(byte[] data, int length) {
        return new String(data, 0, length, UTF_8);
    }

    /**
     * Bytes as UTF-8.
     *
     * @throws CharacterCodingException they are not.
     */
    static String strict(byte[] data) throws CharacterCodingException {
        return UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)
                .decode(ByteBuffer.wrap(data))
                .toString();
    }

    /** A foreign text in quotation marks: no control character may come from it. */
    static String quoted(Object value) {
        String json = Json.encode(String.valueOf(value));
        return "'" + json.substring(1, json.length() - 1).replace("\\\"", "\"") + "'";
    }

    /** What an exception says, on one line and not too long. */
    public static String brief(Throwable error) {
        String said = error.getMessage() == null ? error.getClass().getName() : error.getMessage();
        String line = said.trim().replaceAll("\\s+", " ");
        return line.length() > 300 ? line.substring(0, 300) : line;
    }

    /** A number for people: 3 and not 3.0. */
    static String plain(double value) {
        boolean isWhole = value == Math.rint(value) && Math.abs(value) < 1e15;
        return isWhole ? Long.toString((long) value) : Double.toString(value);
    }
}
