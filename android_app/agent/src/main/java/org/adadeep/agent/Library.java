package org.adadeep.agent;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.adadeep.core.Files;
import org.adadeep.core.Hashes;
import org.adadeep.core.Readings;

/** The runtime's library: whether it is whole, and for the code that really runs here. */
final class Library {
    private static final String BOOT_ID = "/proc/sys/kernel/random/boot_id";

    private final File file;
    private final String sha256;
    private final File checked;

    /**
     * @param file where it lies.
     * @param sha256 that it must have.
     * @param workdir of the agent.
     */
    Library(File file, String sha256, File workdir) {
        this.file = file;
        this.sha256 = sha256;
        checked = new File(workdir, "library.checked");
    }

    /** What Android calls the code of this process; a name that it does not have for others. */
    static String abi() {
        // Not `os.arch`: that is the kernel's, and a process of 32 bits may run on one of 64.
        return abi(Readings.read(new File("/proc/self/exe"), 20), System.getProperty("os.arch"));
    }

    /** By the head of an ELF file; without one by the name of the processor. */
    static String abi(byte[] head, String arch) {
        boolean isElf = head != null && head.length == 20 && head[0] == 0x7f && head[1] == 'E';
        switch (isElf ? (head[18] & 255) + 256 * (head[19] & 255) : 0) {
            case 183:
                return "arm64-v8a";
            case 40:
                return "armeabi-v7a";
            case 62:
                return "x86_64";
            case 3:
                return "x86";
            default:
                return byName(arch == null ? "" : arch);
        }
    }

    private static String byName(String arch) {
        switch (arch) {
            case "aarch64":
                return "arm64-v8a";
            case "amd64":
            case "x86_64":
                return "x86_64";
            case "i386":
            case "i686":
            case "x86":
                return "x86";
            default:
                return arch.startsWith("arm") ? "armeabi-v7a" : arch;
        }
    }

    /** Whether an ABI is one that Android has. */
    static boolean isKnown(String abi) {
        return abi.equals("arm64-v8a") || abi.equals("armeabi-v7a") || abi.equals("x86_64")
                || abi.equals("x86");
    }

    /** Whether it is there, whole, and for this ABI. */
    boolean isGood(String abi) {
        byte[] head = Readings.read(file, 20);
        return head != null && abi(head, "").equals(abi) && isWhole();
    }

    /**
     * Its SHA-256 is looked at once for each boot and state of the file: of 4 MB it takes as long
     * as the rest of the start. What a power cut damages, it damages before the next boot.
     */
    private boolean isWhole() {
        byte[] boot = Readings.read(new File(BOOT_ID), 64);
        String state = boot == null ? null : file.getPath() + " " + file.length() + " "
                + file.lastModified() + " " + sha256 + " " + new String(boot).trim();
        byte[] known = Readings.read(checked, 1000);
        if (state != null && known != null && state.equals(new String(known))) {
            return true;
        }
        try {
            boolean isWhole = Hashes.sha256(file).equals(sha256);
            if (isWhole && state != null) {
                remember(state);
            }
            return isWhole;
        } catch (IOException error) {
            return false;
        }
    }

    private void remember(String state) {
        OutputStream out = null;
        try {
            out = new FileOutputStream(checked);
            out.write(state.getBytes("UTF-8"));
        } catch (IOException error) {
            System.err.println("adadeep: " + error);
        } finally {
            Files.close(out);
        }
    }
}
