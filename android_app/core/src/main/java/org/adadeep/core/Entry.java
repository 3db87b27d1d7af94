package org.adadeep.core;

import java.io.File;
import java.util.ArrayList;
import java.util.List;

/** One of a request's models, and what becomes of it in a session. */
final class Entry {
    final String name;
    final String path;
    final String sha256;
    final List<?> samples;
    final double blockNs;

    long bytes;
    LoadedModel model; // of the placement; null before the first
    LoadedModel fed; // of the first placement: freed, but it has the values of the inputs
    double runNs;
    int group = 1;
    long firstNs;
    Message placed; // of a `part`
    final List<Block> blocks = new ArrayList<Block>(); // of the placement

    Entry(Message wanted, Message plan) {
        name = wanted.text("name");
        path = wanted.text("path");
        sha256 = wanted.text("sha256");
        samples = wanted.list("inputs");
        blockNs = wanted.number("block_ms", plan.number("block_ms")) * 1e6;
    }

    /**
     * Sees that the file is the one that is meant.
     *
     * @throws WireError `model_missing` or `model_damaged`.
     */
    void examine(Hashes hashes) {
        File file = new File(path);
        String found = hashes.of(file);
        bytes = file.length();
        if (!found.equals(sha256)) {
            throw new WireError(ErrorCode.MODEL_DAMAGED,
                    "the model is damaged on the device: its SHA-256 begins with "
                            + found.substring(0, 8));
        }
    }

    /** Frees the model. */
    void unload() {
        if (model != null) {
            model.close();
            model = null;
        }
    }

    /** The time of a run in each block of the placement. */
    double[] blocksNs() {
        double[] times = new double[blocks.size()];
        for (int i = 0; i < times.length; i++) {
            times[i] = blocks.get(i).runNs();
        }
        return times;
    }

    /** The placement, as a `part` has it. */
    Message told() {
        List<Message> all = new ArrayList<Message>();
        for (Block block : blocks) {
            all.add(block.message());
        }
        return placed.with("blocks", all);
    }
}
