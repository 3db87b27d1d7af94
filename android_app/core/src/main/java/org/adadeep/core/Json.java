package org.adadeep.core;

import java.math.BigDecimal;
import java.math.MathContext;

/**
 * JSON to values and back: {@link Message}, List, String, Long (BigInteger if need be), Double,
 * Boolean, null. Encodes as Python's json does with sorted keys and no white space, byte for byte.
 */
public final class Json {
    private static final int DIGITS = 17; // of a double: no two share so many

    private Json() {}

    /**
     * The value of a text.
     *
     * @throws IllegalArgumentException it is no JSON; says what is wrong.
     */
    public static Object parse(String text) {
        return new JsonParser(text).whole();
    }

    /** A value as ASCII text without a line feed; arrays of int and long are lists, too. */
    public static String encode(Object value) {
        return new String(written(value).bytes(), Text.ASCII);
    }

    /** The same with a line feed behind it, as bytes. */
    static byte[] line(Object value) {
        JsonWriter writer = written(value);
        writer.put('\n');
        return writer.bytes();
    }

    private static JsonWriter written(Object value) {
        JsonWriter writer = new JsonWriter();
        writer.write(value);
        return writer;
    }

    /**
     * The shortest decimal number that is this double, written as Python does.
     *
     * @throws IllegalArgumentException it is infinite or no number.
     */
    static String number(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            throw new IllegalArgumentException("not a number of JSON: " + value);
        }
        String sign = Double.doubleToRawLongBits(value) < 0 ? "-" : "";
        if (value == 0) {
            return sign + "0.0";
        }
        BigDecimal shortest = shortest(Math.abs(value));
        String digits = shortest.unscaledValue().toString();
        int point = digits.length() - shortest.scale(); // digits before the decimal point
        if (point > 16 || point < -3) {
            String rest = digits.length() > 1 ? "." + digits.substring(1) : "";
            int exponent = Math.abs(point - 1);
            String mark = (point > 0 ? "e+" : "e-") + (exponent < 10 ? "0" : "");
            return sign + digits.charAt(0) + rest + mark + exponent;
        }
        StringBuilder out = new StringBuilder(digits);
        while (point <= 0) {
            out.insert(0, '0');
            point++;
        }
        while (out.length() <= point) {
            out.append('0');
        }
        return sign + out.insert(point, '.');
    }

    private static BigDecimal shortest(double value) {
        BigDecimal exact = new BigDecimal(value);
        for (int digits = 1; digits < DIGITS; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits));
            if (rounded.doubleValue() == value) {
                return rounded.stripTrailingZeros();
            }
        }
        return exact.round(new MathContext(DIGITS)).stripTrailingZeros();
    }
}
