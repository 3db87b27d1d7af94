package org.adadeep.core;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The golden messages and numbers that every agent is tested against. */
final class Vectors {
    private static final File FOLDER = new File("../../device_agent/protocol/vectors");

    private Vectors() {}

    static List<Message> of(String name) throws IOException {
        byte[] data = Readings.read(new File(FOLDER, name + ".json"), 1 << 24);
        if (data == null) {
            throw new IOException("no vectors in " + FOLDER.getCanonicalPath());
        }
        List<Message> vectors = new ArrayList<Message>();
        for (Object vector : (List<?>) Json.parse(Text.strict(data))) {
            vectors.add((Message) vector);
        }
        return vectors;
    }

    /** A list of numbers. */
    static double[] numbers(Object list) {
        List<?> values = (List<?>) list;
        double[] numbers = new double[values.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = ((Number) values.get(i)).doubleValue();
        }
        return numbers;
    }
}
