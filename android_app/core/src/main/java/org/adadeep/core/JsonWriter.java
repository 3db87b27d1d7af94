package org.adadeep.core;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Values as the bytes of a text of JSON, in one pass: a result holds some 100 kB of what the kernel
 * says, and is written twice between two sessions.
 */
final class JsonWriter {
    private static final boolean[] PLAIN = new boolean[128]; // characters that stand for themselves
    private static final String SHORT = "\"\\\n\r\t\b\f";
    private static final String SHORT_LETTERS = "\"\\nrtbf";
    private static final int LONGEST = 20; // characters of a long
    private static final int ESCAPED = 6; // of a character

    static {
        for (char c = ' '; c <= '~'; c++) {
            PLAIN[c] = SHORT.indexOf(c) < 0;
        }
    }

    private byte[] out = new byte[1024];
    private int count;

    /** What was written. */
    byte[] bytes() {
        return Arrays.copyOf(out, count);
    }

    void write(Object value) {
        if (value instanceof String) {
            text((String) value);
        } else if (value instanceof Map) {
            map((Map<?, ?>) value);
        } else if (value instanceof List) {
            list((List<?>) value);
        } else if (value instanceof long[]) {
            longs((long[]) value);
        } else if (value instanceof int[]) {
            ints((int[]) value);
        } else if (value instanceof Long || value instanceof Integer) {
            whole(((Number) value).longValue());
        } else if (value instanceof Double || value instanceof Float) {
            ascii(Json.number(((Number) value).doubleValue()));
        } else {
            ascii(String.valueOf(value)); // null, a truth value, a whole number of any size
        }
    }

    /** One character of ASCII as it is. */
    void put(char c) {
        room(1);
        out[count++] = (byte) c;
    }

    private void room(int more) {
        if (more > out.length - count) {
            out = Arrays.copyOf(out, Math.max(2 * out.length, count + more));
        }
    }

    private void ascii(String text) {
        room(text.length());
        for (int i = 0; i < text.length(); i++) {
            out[count++] = (byte) text.charAt(i);
        }
    }

    private void map(Map<?, ?> fields) {
        char before = '{';
        for (Map.Entry<?, ?> field : fields.entrySet()) {
            put(before);
            text((String) field.getKey());
            put(':');
            write(field.getValue());
            before = ',';
        }
        ascii(before == '{' ? "{}" : "}");
    }

    private void list(List<?> values) {
        char before = '[';
        for (Object value : values) {
            put(before);
            write(value);
            before = ',';
        }
        ascii(before == '[' ? "[]" : "]");
    }

    private void longs(long[] values) {
        put('[');
        for (int i = 0; i < values.length; i++) {
            if (i > 0) {
                put(',');
            }
            whole(values[i]);
        }
        put(']');
    }

    private void ints(int[] values) {
        long[] wide = new long[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        longs(wide);
    }

    private void whole(long value) {
        room(LONGEST);
        if (value < 0) {
            out[count++] = '-';
        }
        int begin = count;
        long rest = value;
        do { // from the last digit on; of Long.MIN_VALUE there is no positive one
            out[count++] = (byte) ('0' + Math.abs(rest % 10));
            rest /= 10;
        } while (rest != 0);
        for (int i = begin, j = count - 1; i < j; i++, j--) {
            byte digit = out[i];
            out[i] = out[j];
            out[j] = digit;
        }
    }

    private void text(String value) {
        room(value.length() + 2);
        out[count++] = '"';
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < PLAIN.length && PLAIN[c]) {
                out[count++] = (byte) c;
            } else {
                escaped(c);
                room(value.length() - i); // for the rest of it and the quote
            }
        }
        out[count++] = '"';
    }

    private void escaped(char c) {
        room(ESCAPED);
        out[count++] = '\\';
        int known = SHORT.indexOf(c);
        if (known >= 0) {
            out[count++] = (byte) SHORT_LETTERS.charAt(known);
            return;
        }
        out[count++] = 'u';
        for (int shift = 12; shift >= 0; shift -= 4) {
            out[count++] = (byte) Character.forDigit(c >> shift & 15, 16);
        }
    }
}
