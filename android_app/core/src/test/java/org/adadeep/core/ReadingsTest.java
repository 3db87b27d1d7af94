package org.adadeep.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.util.Arrays;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public final class ReadingsTest {
    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    private static byte[] ascii(String text) {
        return text.getBytes(Text.ASCII);
    }

    @Test
    public void pathsThatLeadOutAreRefused() {
        for (String good : Arrays.asList("/proc/loadavg", "/sys/a*/b", "/proc/self/status")) {
            assertTrue(good, Readings.isReadable(good));
        }
        StringBuilder deep = new StringBuilder("/sys/");
        while (deep.length() <= 200) {
            deep.append("a/");
        }
        for (String bad : Arrays.asList("/etc/passwd", "/procx", "proc/x", "/proc/../etc/passwd",
                "/proc/self/root/etc", "/proc/self/cwd/x", "/proc/1/exe", "/proc/self/fd/0",
                "/sys/a\0b", deep.toString())) {
            assertFalse(bad, Readings.isReadable(bad));
        }
    }

    @Test
    public void aPatternStandsForWhatIsThereInOrder() {
        List<String> cores = Readings.expanded("/proc/sys/kernel/random/*id");
        assertEquals(Arrays.asList("/proc/sys/kernel/random/boot_id",
                "/proc/sys/kernel/random/uuid"), cores);
        assertTrue(Readings.expanded("/proc/self/*").indexOf("/proc/self/exe") < 0);
        assertTrue(Readings.expanded("/proc/no such*/x").isEmpty());
    }

    @Test
    public void aStarIsAnyPartOfAName() {
        String[][] fit = {{"cpu0", "cpu*"}, {"cpu", "cpu*"}, {"a.b", "*"}, {"", "*"},
            {"aba", "a*a"}, {"xaybz", "x*y*z"}, {"aab", "*ab"}, {"abab", "*ab*ab"},
            {"a\nb", "a*b"}};
        for (String[] one : fit) {
            assertTrue(one[0] + " " + one[1], Readings.fits(one[0], one[1]));
        }
        String[][] not = {{"cp", "cpu*"}, {"a", "a*a"}, {"xcpu", "cpu*"}, {"cpu0x", "cpu*0"},
            {"xaz", "x*y*z"}, {"ab", "*ab*ab"}, {"axb", "a.b*"}, {"cpu", "cpuX"}};
        for (String[] one : not) {
            assertFalse(one[0] + " " + one[1], Readings.fits(one[0], one[1]));
        }
    }

    @Test
    public void whatCantBeReadIsNullAndWhatIsNotThereIsLeftOutOfAPattern() {
        Message texts = Readings.texts(Arrays.asList(
                "/proc/sys/kernel/ostype", "/proc/no", "/proc/no*", "/proc/self",
                "/proc/self/mem"));
        assertEquals("Linux\n", texts.get("/proc/sys/kernel/ostype"));
        assertTrue(texts.containsKey("/proc/no"));
        assertNull(texts.get("/proc/no"));
        assertTrue(texts.containsKey("/proc/self"));
        assertNull(texts.get("/proc/self"));
        assertTrue(texts.containsKey("/proc/self/mem"));
    }

    @Test
    public void aReadingIsBounded() {
        Message texts = Readings.texts(Arrays.asList("/proc/kallsyms", "/proc/*/status"));
        int sum = 0;
        for (Object text : texts.values()) {
            int length = text == null ? 0 : ((String) text).length();
            assertTrue(length <= 4096);
            sum += length;
        }
        assertTrue(sum <= 1 << 16);
    }

    @Test
    public void textsAroundABlockAreReadAnewEachTime() {
        BlockTexts texts = new BlockTexts(Arrays.asList("/proc/uptime", "/proc/self/status#Name",
                "/proc/no", "/proc/self/status#Nothing", "/proc/{core}/x",
                "/proc/thread-self/status#Pid:", "/proc/cpuinfo"));
        byte[][] first = texts.read(Clocks.UNKNOWN);
        assertTrue(new String(first[0]).endsWith("\n"));
        assertTrue(new String(first[1]).startsWith("Name:\t"));
        assertNull(first[2]);
        assertEquals(0, first[3].length);
        assertNull(first[4]);
        assertTrue(new String(first[5]).startsWith("Pid:\t"));
        assertTrue(first[6].length <= 256);
        String then = new String(first[0]);
        String now = then;
        for (int i = 0; i < 2000 && now.equals(then); i++) {
            now = new String(texts.read(Clocks.UNKNOWN)[0]);
        }
        assertNotEquals(then, now);
        texts.close();
    }

    @Test
    public void aLineIsFoundByWhatItBeginsWith() {
        byte[] data = ascii("a: 1\nbc: 2\nb: 3\nlast");
        assertEquals("b: 3", new String(BlockTexts.line(data, data.length, ascii("b:"))));
        assertEquals("last", new String(BlockTexts.line(data, data.length, ascii("la"))));
        assertEquals(0, BlockTexts.line(data, 12, ascii("b:")).length);
        assertEquals(0, BlockTexts.line(data, data.length, ascii(": 3")).length);
    }

    @Test
    public void memoryIsRead() {
        byte[] data = ascii("VmHWM:\t  2048 kB\nVmRSS:\tmany kB\nVmX:\n");
        assertEquals(Long.valueOf(2048 * 1024), Memory.bytes(data, "VmHWM:"));
        assertNull(Memory.bytes(data, "VmRSS:"));
        assertNull(Memory.bytes(data, "VmX:"));
        assertNull(Memory.bytes(data, "VmNo:"));
        assertTrue(Memory.available() > 0);
    }

    @Test
    public void bootTimeIsRead() {
        byte[] text = ascii("4711.07 9000.00\n");
        assertEquals(4711070000000L, LinuxClocks.uptimeNs(text, text.length));
        for (String bad : Arrays.asList("", "x", "12", "-1.0 2", "1.2.3")) {
            assertEquals(bad, Clocks.UNKNOWN, LinuxClocks.uptimeNs(ascii(bad), bad.length()));
        }
    }

    @Test
    public void theCoreInUseIsRead() {
        StringBuilder text = new StringBuilder("4711 (a (b) 1 2 3) R");
        for (int field = 4; field <= 52; field++) {
            text.append(' ').append(field == 39 ? 12 : field);
        }
        byte[] stat = ascii(text.append('\n').toString());
        assertEquals(12, LinuxClocks.core(stat, stat.length));
        assertEquals(Clocks.UNKNOWN, LinuxClocks.core(stat, 60));
        assertEquals(Clocks.UNKNOWN, LinuxClocks.core(stat, 0));
        assertEquals(Clocks.UNKNOWN, LinuxClocks.core(ascii("4711 (a"), 7));
    }

    @Test
    public void theClocksOfThisComputerWork() {
        LinuxClocks clocks = new LinuxClocks();
        long[] quality = clocks.quality();
        assertTrue(quality[0] >= 1 && quality[1] >= 1);
        assertTrue(clocks.boot() > 0);
        assertTrue(clocks.core() >= 0);
        long began = clocks.now();
        assertTrue(clocks.now() >= began);
    }

    @Test
    public void commandsSayWhatTheyWroteOrNothing() {
        Message said = new Commands().run(Arrays.asList(
                "echo a b", "false", "no-such-command-here", "head -c 100000 /dev/zero",
                "ls /no/such/file", "cat"));
        assertEquals("a b\n", said.get("echo a b"));
        assertNull(said.get("false"));
        assertNull(said.get("no-such-command-here"));
        assertEquals(1 << 16, said.text("head -c 100000 /dev/zero").length());
        assertNull(said.get("ls /no/such/file"));
        assertEquals("stdin is empty", "", said.get("cat"));
    }

    @Test
    public void allThatCommandsSayIsBounded() {
        Message said = new Commands().run(Arrays.asList("head -c 100000 /dev/zero",
                "head -c 100001 /dev/zero", "head -c 100002 /dev/zero", "echo more"));
        assertEquals(1 << 16, said.text("head -c 100002 /dev/zero").length());
        assertTrue(said.containsKey("echo more"));
        assertNull(said.get("echo more"));
    }

    @Test
    public void aFileThatHasChangedIsHashedAnew() throws Exception {
        File file = folder.newFile();
        Hashes hashes = new Hashes();
        Requested.write(file, "one");
        assertTrue(file.setLastModified(1000000000000L));
        String one = hashes.of(file);
        assertEquals("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed", one);
        assertEquals(one, hashes.of(file));
        Requested.write(file, "two"); // just now, and of the same size
        String two = hashes.of(file);
        assertNotEquals(one, two);
        Requested.write(file, "six");
        assertNotEquals("changed within the step of its time", two, hashes.of(file));
        assertTrue(file.delete());
        try {
            hashes.of(file);
            throw new AssertionError("hashed");
        } catch (WireError error) {
            assertEquals(ErrorCode.MODEL_MISSING, error.code);
        }
    }
}
