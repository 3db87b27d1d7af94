package org.adadeep.core;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;

/**
 * A file with the name of the model that is loaded or run just now, empty while none is: where the
 * process is found dead, it says of which.
 */
final class Doing {
    private final File path;
    private RandomAccessFile file;
    private String now;

    Doing(File path) {
        this.path = path;
    }

    /** Writes a name; null: none. A full disk is passed over. */
    void set(String model) {
        if (model == null ? now == null : model.equals(now)) {
            return;
        }
        now = model;
        try {
            file = file == null ? new RandomAccessFile(path, "rw") : file;
            byte[] name = model == null ? new byte[0] : model.getBytes(Text.UTF_8);
            file.seek(0);
            file.write(name);
            file.setLength(name.length);
        } catch (IOException error) {
            System.err.println("adadeep: can't write " + path.getName() + ": " + error);
        }
    }

    /** Nothing is done any more. */
    void end() {
        Files.close(file);
        file = null;
        Files.remove(path);
    }
}
