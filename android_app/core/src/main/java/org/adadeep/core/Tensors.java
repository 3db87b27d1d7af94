package org.adadeep.core;

import java.util.Arrays;
import java.util.List;

/** Tensors of messages: {dtype, shape, data}, the data little-endian, in C order, in base64. */
public final class Tensors {
    private static final String DIGITS =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    private static final int MOST_DIMENSIONS = 16;
    private static final double LARGEST = 2147483648.0;

    private Tensors() {}

    /** One that was read: its type, its shape, its bytes. */
    public static final class Tensor {
        public final String dtype;
        public final int[] shape;
        public final byte[] data;

        Tensor(String dtype, int[] shape, byte[] data) {
            this.dtype = dtype;
            this.shape = shape;
            this.data = data;
        }
    }

    /** Bytes of one number of a type; 0 for a type that is none. */
    public static int itemBytes(String dtype) {
        switch (dtype) {
            case "bool":
            case "int8":
            case "uint8":
                return 1;
            case "float16":
            case "int16":
            case "uint16":
                return 2;
            case "float32":
            case "int32":
            case "uint32":
                return 4;
            case "float64":
            case "int64":
            case "uint64":
                return 8;
            default:
                return 0;
        }
    }

    static Message encode(String dtype, int[] shape, byte[] data) {
        return new Message()
                .with("dtype", dtype)
                .with("shape", shape)
                .with("data", base64(data));
    }

    /**
     * A tensor of a message.
     *
     * @throws WireError it is none, or its bytes don't fill its shape.
     */
    public static Tensor decode(Object value) {
        if (!(value instanceof Message)) {
            throw WireError.badInput("a tensor is not an object");
        }
        Message fields = (Message) value;
        Object dtype = fields.get("dtype");
        Object shape = fields.get("shape");
        Object data = fields.get("data");
        if (!(dtype instanceof String && shape instanceof List && data instanceof String)) {
            throw WireError.badInput("a tensor needs dtype, shape and base64 data");
        }
        int item = itemBytes((String) dtype);
        if (item == 0) {
            throw WireError.badInput("unknown dtype " + Text.quoted(dtype));
        }
        int[] sizes = sizes((List<?>) shape);
        byte[] bytes = bytes((String) data);
        double want = item;
        for (int size : sizes) {
            want *= size;
        }
        if (want != bytes.length) {
            String what = "a tensor of " + dtype + " " + Arrays.toString(sizes);
            String has = " has " + Text.plain(want) + " bytes, not " + bytes.length;
            throw WireError.badInput(what + has);
        }
        return new Tensor((String) dtype, sizes, bytes);
    }

    private static int[] sizes(List<?> shape) {
        int[] sizes = new int[Math.min(shape.size(), MOST_DIMENSIONS)];
        boolean isFine = shape.size() <= MOST_DIMENSIONS;
        for (int i = 0; i < sizes.length && isFine; i++) {
            Object size = shape.get(i);
            isFine = size instanceof Long && (Long) size >= 0 && (Long) size < LARGEST;
            sizes[i] = isFine ? ((Long) size).intValue() : 0;
        }
        if (!isFine) {
            throw WireError.badInput("a tensor's shape is out of bounds");
        }
        return sizes;
    }

    static String base64(byte[] data) {
        StringBuilder out = new StringBuilder((data.length + 2) / 3 * 4);
        for (int i = 0; i < data.length; i += 3) {
            int left = data.length - i;
            int three = (data[i] & 255) << 16;
            three |= left > 1 ? (data[i + 1] & 255) << 8 : 0;
            three |= left > 2 ? data[i + 2] & 255 : 0;
            out.append(DIGITS.charAt(three >> 18)).append(DIGITS.charAt(three >> 12 & 63));
            out.append(left > 1 ? DIGITS.charAt(three >> 6 & 63) : '=');
            out.append(left > 2 ? DIGITS.charAt(three & 63) : '=');
        }
        return out.toString();
    }

    static byte[] bytes(String base64) {
        int length = base64.length();
        int filler = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
        if (length % 4 != 0) {
            throw WireError.badInput("a tensor needs dtype, shape and base64 data");
        }
        byte[] out = new byte[length / 4 * 3 - filler];
        int bits = 0;
        int done = 0;
        for (int i = 0; i < length; i++) {
            char c = base64.charAt(i);
            int digit = i >= length - filler ? 0 : DIGITS_OF[c < 128 ? c : 0];
            if (digit < 0) {
                throw WireError.badInput("a tensor needs dtype, shape and base64 data");
            }
            bits = bits << 6 | digit;
            if (i % 4 == 3) {
                for (int shift = 16; shift >= 0 && done < out.length; shift -= 8) {
                    out[done++] = (byte) (bits >> shift);
                }
                bits = 0;
            }
        }
        return out;
    }

    private static final byte[] DIGITS_OF = digitsOf();

    private static byte[] digitsOf() {
        byte[] digits = new byte[128];
        Arrays.fill(digits, (byte) -1);
        for (int i = 0; i < DIGITS.length(); i++) {
            digits[DIGITS.charAt(i)] = (byte) i;
        }
        return digits;
    }
}
