package org.adadeep.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A block that is done: timings of a model, with what the kernel said around them. */
final class Block {
    private static final int A_TIME = 11; // bytes of one on the wire, about
    private static final int A_BLOCK = 120;

    int round;
    int group;
    long startNs;
    long bootNs;
    long droppedNs;
    long core;
    long cpuNs;
    long[] timesNs;
    byte[][] before;
    byte[][] after;

    double runNs() {
        return Turns.median(timesNs) / group;
    }

    long sumNs() {
        long sum = 0;
        for (long time : timesNs) {
            sum += time;
        }
        return sum;
    }

    /** Bytes on the wire, about. */
    int weight() {
        int texts = 0;
        for (byte[][] side : Arrays.asList(before, after)) {
            for (byte[] text : side) {
                texts += text == null ? 0 : text.length;
            }
        }
        return A_BLOCK + A_TIME * timesNs.length + texts;
    }

    Message message() {
        return new Message()
                .with("round", round)
                .with("start_ns", startNs)
                .with("boot_ns", known(bootNs))
                .with("group", group)
                .with("times_ns", timesNs)
                .with("dropped_ns", known(droppedNs))
                .with("cpu_ns", known(cpuNs))
                .with("core", known(core))
                .with("texts", Arrays.asList(texts(before), texts(after)));
    }

    private static Long known(long value) {
        return value == Clocks.UNKNOWN ? null : value;
    }

    private static List<String> texts(byte[][] side) {
        List<String> texts = new ArrayList<String>();
        for (byte[] text : side) {
            texts.add(text == null ? null : Text.replaced(text, text.length));
        }
        return texts;
    }
}
