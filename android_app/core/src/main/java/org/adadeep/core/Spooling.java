package org.adadeep.core;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;

/** A session that is being written. A full disk ends it without a word: the host has the rest. */
final class Spooling {
    private final File whole;
    private final File part;
    private FileOutputStream file; // null once it is finished or dropped

    /** @param whole its file, once it is whole. */
    Spooling(File whole) {
        this.whole = whole;
        part = new File(whole.getPath() + Spool.PART);
        try {
            file = new FileOutputStream(part);
        } catch (IOException error) {
            file = null;
        }
    }

    /** Adds a line, its line feed included. */
    void write(byte[] line) {
        if (file == null) {
            return;
        }
        try {
            file.write(line);
        } catch (IOException error) {
            drop();
        }
    }

    /** It is whole: from now on it waits. */
    void finish() {
        if (file == null) {
            return;
        }
        try {
            file.close();
            file = part.renameTo(whole) ? null : file;
        } catch (IOException error) {
            System.err.println("adadeep: can't keep a session: " + error);
        }
        drop();
    }

    /** There will be no result; nothing, if it is finished. */
    void drop() {
        if (file != null) {
            Files.close(file);
            Files.remove(part);
            file = null;
        }
    }
}
