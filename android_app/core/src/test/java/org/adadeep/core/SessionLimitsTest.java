package org.adadeep.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Where blocks, rounds and placements end because they took too long, or hold too much. */
public final class SessionLimitsTest {
    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    private final FakeDevice fake = new FakeDevice();
    private final Told told = new Told();
    private Requested requested;
    private String first;
    private int runs;

    @Before
    public void twoModels() throws IOException {
        requested = new Requested(folder.getRoot());
        first = requested.model("first");
        requested.model("second");
        requested.plan.with("placements", 1L);
    }

    private void run(Message request) {
        new Session(fake.device, Requests.decode(Channel.line(request)), told).run(true);
    }

    private List<?> blocks(int model) {
        return ((Message) told.parts.get(0).list("models").get(model)).list("blocks");
    }

    /** At one run the clock goes on by so much. */
    private void delay(final int atRun, final long byNs, final boolean asleep) {
        fake.onRun = new Runnable() {
            @Override
            public void run() {
                if (++runs == atRun) {
                    fake.nowNs += asleep ? 0 : byNs;
                    fake.asleepNs += asleep ? byNs : 0;
                }
            }
        };
    }

    @Test
    public void timedRunsTakeFourTimesWhatLoadingTook() {
        run(requested.measure("a"));
        // Loading: 2 files of 1 ms, 2 first runs, 4 that tell how long one is: 8 ms, so 32 of runs.
        assertEquals(2, blocks(0).size());
    }

    @Test
    public void aBlockEndsAtFourTimesItsTimings() {
        fake.runsNs.put(first, new long[] {1000000, 1000000, 1000000, 10000});
        requested.plan.with("block_timings", 10L);
        run(requested.measure("a"));
        Message block = (Message) blocks(0).get(0);
        assertEquals(40, ((long[]) block.get("times_ns")).length);
    }

    @Test
    public void aRoundThatTakesTwiceTheWholeTimeIsDropped() {
        requested.plan.with("max_ms", 100.0).with("placement_ms", 1000.0);
        delay(30, 300000000L, false); // 6 runs of loading, 22 of a round, one dropped: then this
        run(requested.measure("a"));
        assertEquals(1, blocks(0).size());
        assertEquals(1, blocks(1).size());
        assertTrue("the other model is not run any more, " + runs, runs < 33);
    }

    @Test
    public void sleepIsNoticedAfterTheBlock() {
        requested.plan.with("placement_ms", 10000.0);
        delay(20, 5000000000L, true);
        try {
            run(requested.measure("a"));
            fail("not noticed");
        } catch (WireError error) {
            assertEquals(ErrorCode.SLEPT, error.code);
            assertTrue("after " + runs + " runs", runs < 40);
        }
    }

    @Test
    public void aPlacementEndsWhereItsMessageWouldBeTooLong() {
        requested.plan.with("placement_ms", 3600000.0).with("max_ms", 3600000.0)
                .with("block_ms", 0.001);
        run(requested.measure("a").with("read_block",
                Collections.nCopies(8, "/proc/cpuinfo")));
        int length = Channel.line(told.parts.get(0)).length;
        assertTrue("of " + length, length > 1800000 && length < 3000000);
    }
}
