package org.adadeep.agent;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.fail;
import static org.junit.Assume.assumeTrue;

import java.io.File;
import java.math.BigInteger;
import org.adadeep.core.ErrorCode;
import org.adadeep.core.Memory;
import org.adadeep.core.Readings;
import org.adadeep.core.WireError;
import org.junit.After;
import org.junit.Test;

public final class TasksetTest {
    private final BigInteger all = allowed();
    private final Taskset taskset = new Taskset();

    private static BigInteger allowed() {
        byte[] status = Readings.read(new File("/proc/thread-self/status"), 1 << 14);
        return new BigInteger(Memory.value(status, "Cpus_allowed:").replace(",", ""), 16);
    }

    @After
    public void anywhere() {
        taskset.pin(null);
    }

    @Test
    public void thisThreadIsPinnedAndFreedAgain() {
        assumeTrue("needs taskset", new File("/usr/bin/taskset").exists());
        BigInteger one = BigInteger.ONE.shiftLeft(all.getLowestSetBit());
        taskset.pin("000" + one.toString(16));
        assertEquals(one, allowed());
        taskset.pin(null);
        assertEquals(all, allowed());
    }

    @Test
    public void threadsThatBeginMeanwhileArePinnedToo() throws InterruptedException {
        assumeTrue("needs taskset", new File("/usr/bin/taskset").exists());
        BigInteger one = BigInteger.ONE.shiftLeft(all.getLowestSetBit());
        taskset.pin(one.toString(16));
        final BigInteger[] seen = new BigInteger[1];
        Thread thread = new Thread() {
            @Override
            public void run() {
                seen[0] = allowed();
            }
        };
        thread.start();
        thread.join();
        assertEquals(one, seen[0]);
    }

    @Test
    public void coresThatTheKernelDoesNotGrantAreRefused() {
        String absent = BigInteger.ONE.shiftLeft(all.bitLength() + 1).toString(16);
        String more = all.setBit(all.bitLength() + 1).toString(16);
        for (String mask : new String[] {absent, more, "0", "-1", "x", ""}) {
            try {
                taskset.pin(mask);
                fail("granted: " + mask);
            } catch (WireError error) {
                assertEquals(ErrorCode.BAD_CORE_MASK, error.code);
            }
        }
    }
}
