package org.adadeep.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;

import java.util.Arrays;
import org.junit.Test;

public final class JsonTest {
    @Test
    public void numbersAreWrittenAsPythonWritesThem() {
        String[] python = {
            "0.0", "-0.0", "1.0", "0.1", "15.0", "1795230496.559", "1e-05", "0.0001", "1e+16",
            "9999999999999998.0", "1234567890123456.8", "1e+22", "2.2250738585072014e-308",
            "5e-324", "1.7976931348623157e+308", "-1.5", "0.002", "3600000.0", "2e-10", "123e-9",
        };
        for (String text : Arrays.copyOf(python, python.length - 1)) {
            assertEquals(text, Json.number(Double.parseDouble(text)));
        }
        assertEquals("1.23e-07", Json.number(123e-9));
    }

    @Test
    public void everyNumberComesBackAsItWas() {
        Order random = new Order(1);
        for (int i = 0; i < 20000; i++) {
            double value = Double.longBitsToDouble(random.draw());
            if (!Double.isNaN(value) && !Double.isInfinite(value)) {
                assertEquals(value, Double.parseDouble(Json.number(value)), 0);
                assertEquals(value, Json.parse(Json.number(value)));
            }
        }
    }

    @Test
    public void textsComeBackAsTheyWere() {
        String text = "\"\\/\b\f\n\r\t\u0000\u007f\u00e9\ud83d\ude00\ud800 end";
        String encoded = Json.encode(text);
        assertEquals(text, Json.parse(encoded));
        for (char c : encoded.toCharArray()) {
            assertFalse(c < ' ' || c > '~');
        }
    }

    @Test
    public void valuesKeepTheirKinds() {
        String text = "[0,-1,9223372036854775807,9223372036854775808,1.0,true,false,null,"
                + "\"\",{},[]]";
        assertEquals(text, Json.encode(Json.parse(text)));
        assertEquals("{\"a\":[1,2],\"b\":[3]}",
                Json.encode(Json.parse(" {\"b\" : [ 3 ] ,\n\"a\":[1,\t2] , \"a\" : [1,2]} ")));
        assertEquals("[1,2]", Json.encode(new long[] {1, 2}));
        assertEquals("[]", Json.encode(new int[0]));
    }

    @Test
    public void wholeNumbersAreWrittenToTheirEnds() {
        long[] ends = {Long.MIN_VALUE, Long.MAX_VALUE, 0, -10, 100};
        assertEquals("[-9223372036854775808,9223372036854775807,0,-10,100]", Json.encode(ends));
        assertEquals("[-2147483648,7]", Json.encode(new int[] {Integer.MIN_VALUE, 7}));
        assertEquals("-2147483648", Json.encode(Integer.MIN_VALUE));
    }

    @Test
    public void longTextsAreWrittenWhole() {
        StringBuilder text = new StringBuilder();
        for (int length = 0; length < 5000; length++) {
            text.append(length % 7 == 0 ? '\u00e9' : length % 3 == 0 ? '\n' : 'x');
            if (length % 97 == 0 || Math.abs(length - 1022) < 4) { // about the first buffer's end
                assertEquals(text.toString(), Json.parse(Json.encode(text.toString())));
            }
        }
        char[] plain = new char[1022];
        Arrays.fill(plain, 'x');
        assertEquals(1024, Json.encode(new String(plain)).length());
        byte[] line = Json.line(new String(plain));
        assertEquals('\n', line[line.length - 1]);
        assertEquals(1025, line.length);
    }

    @Test
    public void whatIsNoJsonIsRefused() {
        StringBuilder deep = new StringBuilder();
        for (int i = 0; i < 100000; i++) {
            deep.append('[');
        }
        char[] nines = new char[9000];
        Arrays.fill(nines, '9');
        for (String bad : Arrays.asList("", " ", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":1,}",
                "{a:1}",
                "01", "-", "1.", ".5", "1e", "+1", "NaN", "Infinity", "tru", "\"", "\"\\x\"",
                "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "1 2", "[] x", "1\u0000", "'a'", "\ufeff1",
                "\"\\u\uff11\uff11\uff11\uff11\"", deep.toString(), new String(nines))) {
            try {
                Json.parse(bad);
                throw new AssertionError("taken: " + bad);
            } catch (IllegalArgumentException error) {
                assertFalse(error.getMessage().isEmpty());
            }
        }
    }
}
