package org.adadeep.core;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;

/** Requests for tests: models that lie in a folder, and a plan that is soon done. */
final class Requested {
    final Message plan = (Message) Json.parse("{\"seed\":7,\"placements\":2,\"least_placements\":1,"
            + "\"placement_ms\":0,\"block_ms\":10,\"drop_runs\":1,\"drop_ms\":0,\"warmup_ms\":0,"
            + "\"group\":100,\"block_timings\":100,\"cold_runs\":0,\"cold_bytes\":0,"
            + "\"half_width\":0,\"max_ms\":100000}");
    final Message settings = new Message().with("threads", 1L).with("core_mask", null);
    final List<Message> models = new ArrayList<Message>();
    private final File folder;

    Requested(File folder) {
        this.folder = folder;
    }

    static void write(File file, String text) throws IOException {
        OutputStream out = new FileOutputStream(file);
        out.write(text.getBytes(Text.UTF_8));
        out.close();
    }

    /** Adds a model, whose file holds its name; its path. */
    String model(String name) throws IOException {
        File file = new File(folder, name + ".tflite");
        write(file, name);
        models.add(new Message()
                .with("name", name)
                .with("path", file.getPath())
                .with("sha256", Hashes.sha256(file)));
        return file.getPath();
    }

    Message measure(String job) {
        return new Message()
                .with("type", "measure")
                .with("id", 1L)
                .with("job", job)
                .with("models", models)
                .with("settings", settings)
                .with("plan", plan);
    }
}
