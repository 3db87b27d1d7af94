package org.adadeep.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a model is fed while it is timed: sizes that it leaves open, values that it can take. */
final class Inputs {
    static final String GIVEN = "given";
    static final String FILE = "file";
    static final String ZEROS = "zeros";
    private static final double MOST_NUMBERS = 1 << 27; // in one input
    private static final String PREFIX = "serving_default_";

    private Inputs() {}

    /** Values for an input, and a word for what they are. */
    static final class Values {
        final byte[] data;
        final String word;

        Values(byte[] data, String word) {
            this.data = data;
            this.word = word;
        }
    }

    /** Converters wrap the name that a user knows: "serving_default_tokens:0". */
    private static boolean isCalled(Port port, String name) {
        String full = port.name;
        String brief = full.startsWith(PREFIX) ? full.substring(PREFIX.length()) : full;
        int colon = brief.lastIndexOf(':');
        return name.equals(full) || name.equals(brief)
                || colon > 0 && name.equals(brief.substring(0, colon));
    }

    /** What entries of [name or null, ...] say of an input; its own name goes first. */
    private static List<?> of(Port port, List<?> entries) {
        List<?> unnamed = null;
        for (Object item : entries) {
            List<?> entry = (List<?>) item;
            if (entry.get(0) == null) {
                unnamed = unnamed == null ? entry : unnamed;
            } else if (isCalled(port, (String) entry.get(0))) {
                return entry;
            }
        }
        return unnamed;
    }

    /**
     * Sees that every name in entries of [name or null, ...] is that of an input.
     *
     * @throws WireError one is not; the message has the names that there are.
     */
    static void checkNames(Port[] ports, List<?> entries) {
        for (Object item : entries) {
            String name = (String) ((List<?>) item).get(0);
            boolean isKnown = name == null;
            List<String> known = new ArrayList<String>();
            for (Port port : ports) {
                isKnown |= name != null && isCalled(port, name);
                known.add(Text.quoted(port.name));
            }
            if (!isKnown) {
                String names = known.toString();
                throw WireError.badInput("the model has no input " + Text.quoted(name)
                        + "; it has " + names.substring(1, names.length() - 1));
            }
        }
    }

    /**
     * The shape that an input is measured with; a batch that is open is 1.
     *
     * @param entries [name or null, shape] as the host asked for.
     * @param isAlone it is the only input, so that a shape needs no name.
     * @throws WireError a size is open that is no batch, or the host's shape does not fit.
     */
    static int[] settledShape(Port port, List<?> entries, boolean isAlone) {
        int[] signature = port.signature;
        List<?> asked = of(port, entries);
        if (asked != null) {
            int[] shape = sizes((List<?>) asked.get(1));
            if (fits(signature, shape)) {
                return shape;
            }
            if (isAlone || asked.get(0) != null) {
                throw WireError.badInput("the input " + Text.quoted(port.name) + " is "
                        + Arrays.toString(signature) + " (-1 is open), not "
                        + Arrays.toString(shape));
            }
        }
        int[] shape = signature.clone();
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] == -1 && i > 0) {
                String text = "the input " + Text.quoted(port.name) + " leaves sizes open: "
                        + Arrays.toString(signature);
                throw new WireError(ErrorCode.OPEN_SHAPE, text);
            }
            shape[i] = shape[i] == -1 ? 1 : shape[i];
        }
        return shape;
    }

    private static int[] sizes(List<?> list) {
        int[] sizes = new int[list.size()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = ((Number) list.get(i)).intValue();
        }
        return sizes;
    }

    private static boolean fits(int[] signature, int[] shape) {
        boolean fits = signature.length == shape.length;
        for (int i = 0; fits && i < shape.length; i++) {
            fits = signature[i] == -1 || signature[i] == shape[i];
        }
        return fits;
    }

    private static double count(int[] shape) {
        double count = 1;
        for (int size : shape) {
            count *= size;
        }
        return count;
    }

    /**
     * Sees that an input of that shape is one that can be fed, and that a device can hold.
     *
     * @throws WireError it is not.
     */
    static void requireFeedable(Port port, int[] shape) {
        String name = "the input " + Text.quoted(port.name);
        if (Tensors.itemBytes(port.dtype) == 0 || port.dtype.equals("float16")) {
            String text = name + " takes " + port.dtype + ", and only numbers can be fed";
            throw WireError.badInput(text);
        }
        if (!(count(shape) >= 0 && count(shape) <= MOST_NUMBERS)) {
            String text = name + " of shape " + Arrays.toString(shape) + " is too large";
            throw WireError.badInput(text);
        }
    }

    /**
     * Values for an input that nothing was given for.
     *
     * <p>Whole numbers without a scale may be indices, and 0 is the one that every table has. With
     * a scale they are quantised data, and any value will do.
     *
     * @throws WireError the range that was asked for does not fit the input's type.
     */
    static Values chosen(Port port, List<?> ranges, Order random) {
        List<?> asked = of(port, ranges);
        int count = (int) count(port.shape);
        int item = Tensors.itemBytes(port.dtype);
        ByteBuffer out = ByteBuffer.allocate(count * item).order(ByteOrder.LITTLE_ENDIAN);
        if (port.dtype.startsWith("float")) {
            Number low = asked == null ? Long.valueOf(0) : (Number) asked.get(1);
            Number high = asked == null ? Long.valueOf(1) : (Number) asked.get(2);
            double span = high.doubleValue() - low.doubleValue();
            for (int i = 0; i < count; i++) {
                double value = low.doubleValue() + span * random.fraction();
                if (item == 4) {
                    out.putFloat((float) value);
                } else {
                    out.putDouble(value);
                }
            }
            return new Values(out.array(), word(low, high, asked));
        }
        if (asked == null && !(item <= 2 && port.hasScale)) {
            return new Values(out.array(), ZEROS);
        }
        return whole(port, asked, out, random);
    }

    private static Values whole(Port port, List<?> asked, ByteBuffer out, Order random) {
        int item = Tensors.itemBytes(port.dtype);
        boolean isUnsigned = port.dtype.startsWith("u") || port.dtype.equals("bool");
        double most = port.dtype.equals("bool")
                ? 1
                : Math.pow(2, 8 * item - (isUnsigned ? 0 : 1)) - 1;
        double least = isUnsigned ? 0 : -most - 1;
        Number low = asked == null ? Long.valueOf((long) least) : (Number) asked.get(1);
        Number high = asked == null ? Long.valueOf((long) most) : (Number) asked.get(2);
        double first = low.doubleValue();
        double last = high.doubleValue();
        if (first != Math.rint(first) || last != Math.rint(last) || first < least || last > most) {
            throw WireError.badInput("the input " + Text.quoted(port.name) + " is " + port.dtype
                    + ": " + shown(low) + ".." + shown(high) + " does not fit");
        }
        while (out.hasRemaining()) {
            double value = first + Math.floor(random.fraction() * (last - first + 1));
            long bits = (long) Math.min(value, last);
            for (int i = 0; i < item; i++) {
                out.put((byte) (bits >> 8 * i));
            }
        }
        return new Values(out.array(), word(low, high, asked));
    }

    private static String word(Number low, Number high, List<?> asked) {
        return (asked == null ? "random " : "range ") + shown(low) + ".." + shown(high);
    }

    private static String shown(Number value) {
        return Json.encode(value);
    }

    /**
     * The bytes of a tensor in a message.
     *
     * @throws WireError it is not of the input's type and shape.
     */
    static byte[] given(Port port, Object value) {
        Tensors.Tensor tensor = Tensors.decode(value);
        if (!tensor.dtype.equals(port.dtype) || !Arrays.equals(tensor.shape, port.shape)) {
            throw WireError.badInput("an input must be " + port.dtype + " "
                    + Arrays.toString(port.shape) + ", not " + tensor.dtype + " "
                    + Arrays.toString(tensor.shape));
        }
        return tensor.data;
    }

    /** An input and what it was fed, for a result. */
    static Message described(Port port, String fed) {
        return new Message()
                .with("name", port.name)
                .with("dtype", port.dtype)
                .with("shape", port.shape)
                .with("signature", port.signature)
                .with("fed", fed);
    }
}
