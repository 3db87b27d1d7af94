package org.adadeep.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.List;
import org.junit.Test;

public final class InputsTest {
    private static final List<?> NONE = Collections.emptyList();

    private static Port port(String dtype, boolean hasScale, int... signature) {
        int[] shape = signature.clone();
        for (int i = 0; i < shape.length; i++) {
            shape[i] = Math.abs(shape[i]);
        }
        return new Port("serving_default_x:0", dtype, shape, signature, hasScale);
    }

    private static List<?> list(String json) {
        return (List<?>) Json.parse(json);
    }

    private static String refused(Runnable what) {
        try {
            what.run();
        } catch (WireError error) {
            return error.code;
        }
        fail("taken");
        return null;
    }

    @Test
    public void aBatchThatIsOpenIsOneAndAnotherSizeMustBeNamed() {
        Port batch = port("float32", false, -1, 4);
        assertArrayEquals(new int[] {1, 4}, Inputs.settledShape(batch, NONE, true));
        final Port other = port("float32", false, 1, -1);
        assertEquals(ErrorCode.OPEN_SHAPE, refused(new Runnable() {
            @Override
            public void run() {
                Inputs.settledShape(other, NONE, true);
            }
        }));
        for (String names : new String[] {"null", "\"x\"", "\"x:0\"", "\"serving_default_x:0\""}) {
            List<?> asked = list("[[" + names + ",[1,7]]]");
            Inputs.checkNames(new Port[] {other}, asked);
            assertArrayEquals(new int[] {1, 7}, Inputs.settledShape(other, asked, true));
        }
    }

    @Test
    public void aShapeThatDoesNotFitIsRefused() {
        final Port port = port("float32", false, -1, 4);
        assertEquals(ErrorCode.BAD_INPUT, refused(new Runnable() {
            @Override
            public void run() {
                Inputs.settledShape(port, list("[[null,[1,5]]]"), true);
            }
        }));
    }

    @Test
    public void anUnknownNameIsRefusedWithThoseThatThereAre() {
        try {
            Inputs.checkNames(new Port[] {port("float32", false, 1)}, list("[[\"y\\n\",0,1]]"));
            fail("taken");
        } catch (WireError error) {
            assertEquals("the model has no input 'y\\n'; it has 'serving_default_x:0'",
                    error.getMessage());
        }
    }

    private static void assertWithin(
            Port port, String ranges, double low, double high, String word) {
        Inputs.Values values = Inputs.chosen(port, list(ranges), new Order(0));
        assertEquals(word, values.word);
        ByteBuffer data = ByteBuffer.wrap(values.data).order(ByteOrder.LITTLE_ENDIAN);
        double least = Double.MAX_VALUE;
        double most = -Double.MAX_VALUE;
        while (data.hasRemaining()) {
            double value = next(data, port.dtype);
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        double slack = (high - low) / 20;
        assertTrue(word + " " + least, low <= least && least <= low + slack);
        assertTrue(word + " " + most, high - slack <= most && most <= high);
    }

    private static double next(ByteBuffer data, String dtype) {
        switch (dtype) {
            case "float32":
                return data.getFloat();
            case "float64":
                return data.getDouble();
            case "int8":
                return data.get();
            case "uint8":
            case "bool":
                return data.get() & 255;
            case "int16":
                return data.getShort();
            case "int32":
                return data.getInt();
            default:
                return data.getLong();
        }
    }

    @Test
    public void valuesFillTheRangeOfTheirType() {
        assertWithin(port("float32", false, 1, 500), "[]", 0, 1, "random 0..1");
        assertWithin(port("float64", false, 1, 500), "[]", 0, 1, "random 0..1");
        assertWithin(port("int8", true, 1, 500), "[]", -128, 127, "random -128..127");
        assertWithin(port("uint8", true, 1, 500), "[]", 0, 255, "random 0..255");
        assertWithin(port("int16", true, 1, 500), "[]", -32768, 32767, "random -32768..32767");
        assertWithin(port("float32", false, 1, 500), "[[null,-1.5,3]]", -1.5, 3, "range -1.5..3");
        assertWithin(port("int32", false, 1, 500), "[[\"x\",5,900]]", 5, 900, "range 5..900");
        assertWithin(port("int64", false, 1, 500), "[[null,0,1]]", 0, 1, "range 0..1");
        assertWithin(port("bool", false, 1, 500), "[[null,0,1]]", 0, 1, "range 0..1");
    }

    @Test
    public void indicesAreZeros() {
        for (String dtype : new String[] {"int32", "int64", "bool", "int8"}) {
            Inputs.Values values = Inputs.chosen(port(dtype, false, 1, 3), NONE, new Order(0));
            assertEquals("zeros", values.word);
            assertArrayEquals(new byte[3 * Tensors.itemBytes(dtype)], values.data);
        }
    }

    @Test
    public void rangesThatDoNotFitAreRefused() {
        String[][] cases = {
            {"int8", "[[null,0,128]]"}, {"uint8", "[[null,-1,1]]"}, {"int32", "[[null,0.5,1]]"},
            {"bool", "[[null,0,2]]"},
        };
        for (final String[] one : cases) {
            assertEquals(ErrorCode.BAD_INPUT, refused(new Runnable() {
                @Override
                public void run() {
                    Inputs.chosen(port(one[0], true, 1, 2), list(one[1]), new Order(0));
                }
            }));
        }
    }

    @Test
    public void whatCantBeFedOrHeldIsRefused() {
        final Port text = port("string", false, 1);
        final Port large = port("float32", false, 1, 70000, 70000);
        for (final Port port : new Port[] {text, large, port("float16", false, 1)}) {
            assertEquals(ErrorCode.BAD_INPUT, refused(new Runnable() {
                @Override
                public void run() {
                    Inputs.requireFeedable(port, port.shape);
                }
            }));
        }
    }

    @Test
    public void aTensorOfAnotherTypeOrShapeIsRefused() {
        final Port port = port("float32", false, 1, 2);
        Message fits = Tensors.encode("float32", new int[] {1, 2}, new byte[8]);
        assertEquals(8, Inputs.given(port, Json.parse(Json.encode(fits))).length);
        final Message[] others = {
            Tensors.encode("int32", new int[] {1, 2}, new byte[8]),
            Tensors.encode("float32", new int[] {2, 1}, new byte[8]),
        };
        for (final Message other : others) {
            assertEquals(ErrorCode.BAD_INPUT, refused(new Runnable() {
                @Override
                public void run() {
                    Inputs.given(port, Json.parse(Json.encode(other)));
                }
            }));
        }
    }
}
