package org.adadeep.core;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Map;

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
        StringBuilder out = new StringBuilder(256);
        write(out, value);
        return out.toString();
    }

    private static void write(StringBuilder out, Object value) {
        if (value instanceof String) {
            text(out, (String) value);
        } else if (value instanceof Map) {
            map(out, (Map<?, ?>) value);
        } else if (value instanceof List) {
            list(out, (List<?>) value);
        } else if (value instanceof long[]) {
            longs(out, (long[]) value);
        } else if (value instanceof int[]) {
            ints(out, (int[]) value);
        } else if (value instanceof Double || value instanceof Float) {
            out.append(number(((Number) value).doubleValue()));
        } else {
            out.append(value); // null, a truth value, a whole number
        }
    }

    private static void map(StringBuilder out, Map<?, ?> fields) {
        char before = '{';
        for (Map.Entry<?, ?> field : fields.entrySet()) {
            out.append(before);
            text(out, (String) field.getKey());
            out.append(':');
            write(out, field.getValue());
            before = ',';
        }
        out.append(before == '{' ? "{}" : "}");
    }

    private static void list(StringBuilder out, List<?> values) {
        out.append('[');
        for (int i = 0; i < values.size(); i++) {
            if (i > 0) {
                out.append(',');
            }
            write(out, values.get(i));
        }
        out.append(']');
    }

    private static void longs(StringBuilder out, long[] values) {
        out.append('[');
        for (int i = 0; i < values.length; i++) {
            (i > 0 ? out.append(',') : out).append(values[i]);
        }
        out.append(']');
    }

    private static void ints(StringBuilder out, int[] values) {
        out.append('[');
        for (int i = 0; i < values.length; i++) {
            (i > 0 ? out.append(',') : out).append(values[i]);
        }
        out.append(']');
    }

    private static void text(StringBuilder out, String value) {
        out.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            int short_ = "\"\\\n\r\t\b\f".indexOf(c);
            if (short_ >= 0) {
                out.append('\\').append("\"\\nrtbf".charAt(short_));
            } else if (c >= ' ' && c <= '~') {
                out.append(c);
            } else {
                out.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    out.append(Character.forDigit(c >> shift & 15, 16));
                }
            }
        }
        out.append('"');
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
