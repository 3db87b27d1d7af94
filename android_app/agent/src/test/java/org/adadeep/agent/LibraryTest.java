package org.adadeep.agent;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.adadeep.core.Hashes;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public final class LibraryTest {
    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    private static byte[] head(int machine) {
        byte[] head = new byte[20];
        head[0] = 0x7f;
        head[1] = 'E';
        head[18] = (byte) machine;
        head[19] = (byte) (machine >> 8);
        return head;
    }

    private File library(int machine) throws IOException {
        File file = new File(folder.getRoot(), "library.so");
        write(file, head(machine));
        assertTrue(file.setLastModified(1000000000000L));
        return file;
    }

    private static void write(File file, byte[] data) throws IOException {
        OutputStream out = new FileOutputStream(file);
        out.write(data);
        out.close();
    }

    @Test
    public void theCodeThatRunsDecidesAndNotTheKernel() {
        assertEquals("armeabi-v7a", Library.abi(head(40), "aarch64"));
        assertEquals("arm64-v8a", Library.abi(head(183), "aarch64"));
        assertEquals("x86", Library.abi(head(3), "x86_64"));
        assertEquals("x86_64", Library.abi(head(62), "x86_64"));
    }

    @Test
    public void withoutItTheNameOfTheProcessorDecides() {
        String[][] names = {
            {"aarch64", "arm64-v8a"}, {"armv8l", "armeabi-v7a"}, {"armv7l", "armeabi-v7a"},
            {"i686", "x86"}, {"amd64", "x86_64"}, {"x86_64", "x86_64"}, {"riscv64", "riscv64"},
        };
        for (String[] name : names) {
            assertEquals(name[1], Library.abi(null, name[0]));
            assertEquals(name[1], Library.abi(new byte[3], name[0]));
            assertEquals(!name[1].equals("riscv64"), Library.isKnown(name[1]));
        }
        assertFalse(Library.isKnown(Library.abi(null, null)));
    }

    @Test
    public void thisProcessHasAnAbi() {
        assertTrue(Library.isKnown(Library.abi()));
    }

    @Test
    public void aLibraryIsGoodIfItIsWholeAndOfTheAbi() throws IOException {
        File file = library(62);
        String sha256 = Hashes.sha256(file);
        Library library = new Library(file, sha256, folder.getRoot());
        assertTrue(library.isGood("x86_64"));
        assertTrue("known from the first time", library.isGood("x86_64"));
        assertFalse(library.isGood("arm64-v8a"));
        assertFalse(new Library(file, sha256.replace(sha256.charAt(0), 'x'), folder.getRoot())
                .isGood("x86_64"));
        File none = new File(folder.getRoot(), "none.so");
        assertFalse(new Library(none, sha256, folder.getRoot()).isGood("x86_64"));
    }

    @Test
    public void aLibraryThatHasChangedIsHashedAnew() throws IOException {
        File file = library(62);
        Library library = new Library(file, Hashes.sha256(file), folder.getRoot());
        assertTrue(library.isGood("x86_64"));
        byte[] damaged = head(62);
        damaged[5] = 1;
        write(file, damaged); // of the same size, changed now
        assertFalse(library.isGood("x86_64"));
    }
}
