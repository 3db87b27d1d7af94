package org.adadeep.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.Test;

public final class VectorsTest {
    private static String refused(String line) {
        try {
            Requests.decode(line.getBytes(Text.UTF_8));
            return null;
        } catch (WireError error) {
            return error.code;
        }
    }

    @Test
    public void requestsAreTakenOrRefusedAsTheVectorsSay() throws IOException {
        int seen = 0;
        for (Message vector : Vectors.of("messages")) {
            if (vector.text("direction").equals("request")) {
                String line = vector.text("line");
                assertEquals(vector.text("name"), vector.text("code"), refused(line));
                seen++;
            }
        }
        assertTrue("only " + seen, seen > 80);
    }

    @Test
    public void encodingGivesTheCanonicalLineByteForByte() throws IOException {
        int seen = 0;
        for (Message vector : Vectors.of("messages")) {
            if (vector.flag("canonical", false)) {
                String line = vector.text("line");
                assertEquals(vector.text("name"), line, Json.encode(Json.parse(line)));
                seen++;
            }
        }
        assertTrue("only " + seen, seen > 30);
    }

    @Test
    public void ordersAreThoseOfTheVectors() throws IOException {
        for (Message vector : Vectors.of("orders")) {
            Order numbers = new Order((long) vector.number("seed"));
            for (Object number : vector.list("numbers")) {
                BigInteger drawn = BigInteger.valueOf(numbers.draw());
                assertEquals(number, drawn.mod(BigInteger.ONE.shiftLeft(64)).toString());
            }
            Order orders = new Order((long) vector.number("seed"));
            for (Object order : vector.list("orders")) {
                int[] drawn = orders.shuffled(vector.whole("models"));
                assertEquals(Json.encode(order), Json.encode(drawn));
            }
        }
    }

    @Test
    public void theStreamOfNumbersIsSplitMix64() { // against the published numbers, not ourselves
        Order zero = new Order(0);
        assertEquals(0xE220A8397B1DCDAFL, zero.draw());
        assertEquals(0x6E789E6AA1B965F4L, zero.draw());
    }

    @Test
    public void groupsHaveTheSizesOfTheVectors() throws IOException {
        for (Message vector : Vectors.of("groups")) {
            int size = Turns.groupSize(vector.number("run_ns"), vector.number("clock_ns"),
                    vector.number("block_ns"), vector);
            assertEquals(vector.toString(), vector.whole("size"), size);
        }
    }

    @Test
    public void quantilesAreThoseOfTheVectors() throws IOException {
        for (Message vector : Vectors.of("quantiles")) {
            assertEquals(vector.number("t"), Turns.quantile(vector.whole("df")), 1e-9);
        }
    }

    @Test
    public void theStopRuleDecidesAsTheVectorsSay() throws IOException {
        for (Message vector : Vectors.of("stopping")) {
            List<double[]> said = new ArrayList<double[]>();
            for (Object placement : vector.list("blocks_ns")) {
                List<?> models = (List<?>) placement;
                double[][] blocks = new double[models.size()][];
                for (int i = 0; i < blocks.length; i++) {
                    blocks[i] = Vectors.numbers(models.get(i));
                }
                said.add(Turns.placementLogs(blocks));
            }
            String name = vector.text("name");
            Double width = Turns.halfWidth(said);
            if (vector.get("half_width") == null) {
                assertNull(name, width);
            } else {
                assertEquals(name, vector.number("half_width"), width, 1e-9);
            }
            double elapsedMs = vector.number("elapsed_ms");
            String ended = Turns.ended(said.size(), width, elapsedMs, vector.map("plan"));
            assertEquals(name, vector.get("ended"), ended);
        }
    }

    @Test
    public void tensorsAreReadAsTheVectorsSay() throws IOException {
        for (Message vector : Vectors.of("tensors")) {
            String name = vector.text("name");
            Object value = vector.get("tensor");
            Tensors.Tensor tensor;
            try {
                tensor = Tensors.decode(value);
            } catch (WireError error) {
                assertEquals(ErrorCode.BAD_INPUT, error.code);
                assertFalse(name, vector.flag("valid", true));
                continue;
            }
            assertTrue(name, vector.flag("valid", false));
            Message again = Tensors.encode(tensor.dtype, tensor.shape, tensor.data);
            assertEquals(name, Json.encode(value), Json.encode(again));
            assertEquals(name, vector.list("values").size() * Tensors.itemBytes(tensor.dtype),
                    tensor.data.length);
        }
    }

    @Test
    public void base64IsThatOfTheStandard() { // RFC 4648, chapter 10
        String[] plain = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
        String[] coded = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
        for (int i = 0; i < plain.length; i++) {
            assertEquals(coded[i], Tensors.base64(plain[i].getBytes(Text.ASCII)));
            assertArrayEquals(plain[i].getBytes(Text.ASCII), Tensors.bytes(coded[i]));
        }
        for (String bad : Arrays.asList("Z", "Zg=", "Zg===", "=g==", "Zg\n=", "Z\u00e9==",
                "====")) {
            try {
                Tensors.bytes(bad);
                throw new AssertionError("taken: " + bad);
            } catch (WireError error) {
                assertEquals(ErrorCode.BAD_INPUT, error.code);
            }
        }
    }
}
