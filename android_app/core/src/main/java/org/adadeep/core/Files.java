package org.adadeep.core;

import java.io.Closeable;
import java.io.File;
import java.io.IOException;

/** What several places do with files. Android has no java.nio.file before its version 8. */
public final class Files {
    private Files() {}

    /** Closes; whatever goes wrong with that changes nothing. */
    public static void close(Closeable file) {
        if (file == null) {
            return;
        }
        try {
            file.close();
        } catch (IOException ignored) {
            return;
        }
    }

    /** Removes a file; one that is not there, or can't be removed, is passed over. */
    static void remove(File file) {
        if (!file.delete() && file.exists()) {
            System.err.println("adadeep: can't remove " + file.getName());
        }
    }

    /** The names in a folder; none if there is none. */
    static String[] names(File folder) {
        String[] names = folder.list();
        return names == null ? new String[0] : names;
    }
}
