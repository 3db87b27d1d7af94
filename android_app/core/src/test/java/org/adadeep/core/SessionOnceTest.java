package org.adadeep.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What a session does once and uses again: run times, texts, inputs; and how often it looks. */
public final class SessionOnceTest {
    private static final String EACH_TIME_ANOTHER = "/proc/sys/kernel/random/uuid";

    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    private final FakeDevice fake = new FakeDevice();
    private final Told told = new Told();
    private Requested requested;
    private String first;

    @Before
    public void twoModels() throws IOException {
        requested = new Requested(folder.getRoot());
        first = requested.model("first");
        requested.model("second");
    }

    private void run(Message request) {
        new Session(fake.device, Requests.decode(Channel.line(request)), told).run(true);
    }

    private List<?> blocks(int part, int model) {
        return ((Message) told.parts.get(part).list("models").get(model)).list("blocks");
    }

    /** The blocks of a placement, as they followed. */
    private List<Message> followed(int part) {
        TreeMap<Double, Message> found = new TreeMap<Double, Message>();
        for (int model = 0; model < 2; model++) {
            for (Object block : blocks(part, model)) {
                found.put(((Message) block).number("start_ns"), (Message) block);
            }
        }
        return new ArrayList<Message>(found.values());
    }

    private static Object text(Message block, int side) {
        return ((List<?>) block.list("texts").get(side)).get(0);
    }

    private void runWithTexts() {
        requested.plan.with("placement_ms", 50.0);
        run(requested.measure("a").with("read_block", Arrays.asList(EACH_TIME_ANOTHER)));
    }

    @Test
    public void aLaterPlacementSizesItsGroupsByTheBlocksBefore() {
        // The first runs after a load are slow: by them groups would be shorter.
        fake.runsNs.put(first, new long[] {9000, 9000, 9000, 1000});
        requested.plan.with("placements", 3L);
        run(requested.measure("a"));
        assertEquals(12, ((Message) blocks(0, 0).get(0)).whole("group")); // 9,050 ns
        // The median of 1,000 * 12 + 50 ns is 1,004.2 ns a run, then 1,000.5.
        assertEquals(100, ((Message) blocks(1, 0).get(0)).whole("group"));
        assertEquals(100, ((Message) blocks(2, 0).get(0)).whole("group"));
    }

    @Test
    public void onlyTheFirstPlacementRunsToFindOutHowLongARunIs() {
        final List<Integer> before = new ArrayList<Integer>();
        requested.plan.with("drop_runs", 0L);
        requested.models.remove(1);
        run(requested.measure("a"));
        int runs = 0;
        for (String what : fake.done) {
            if (what.startsWith("load ")) {
                before.add(runs);
                runs = 0;
            }
            runs += what.startsWith("run ") ? 1 : 0;
        }
        int timed = 0;
        for (Object block : blocks(1, 0)) {
            timed += ((long[]) ((Message) block).get("times_ns")).length;
        }
        assertEquals("the first run and those of the blocks", 1 + timed, runs);
        assertEquals("and two more", 3 + 10 * blocks(0, 0).size(), (int) before.get(1));
    }

    @Test
    public void textsBehindABlockAreThoseBeforeTheNext() {
        runWithTexts();
        for (int part = 0; part < 2; part++) {
            List<Message> blocks = followed(part);
            assertTrue("of several rounds", blocks.size() >= 4);
            for (int i = 0; i < blocks.size(); i++) {
                Message block = blocks.get(i);
                assertNotEquals(text(block, 0), text(block, 1));
                if (i > 0) {
                    assertEquals(text(blocks.get(i - 1), 1), text(block, 0));
                }
            }
        }
    }

    @Test
    public void textsAreReadAnewInANewPlacement() {
        runWithTexts();
        List<Message> blocks = followed(0);
        assertNotEquals(text(blocks.get(blocks.size() - 1), 1), text(followed(1).get(0), 0));
    }

    @Test
    public void textsAreReadAnewOnAnotherCore() {
        fake.onRun = new Runnable() {
            @Override
            public void run() {
                fake.core = fake.count("run " + first);
            }
        };
        runWithTexts();
        List<Message> blocks = followed(0);
        for (int i = 1; i < blocks.size(); i++) {
            boolean isSame = blocks.get(i).get("core").equals(blocks.get(i - 1).get("core"));
            assertEquals(isSame, text(blocks.get(i - 1), 1).equals(text(blocks.get(i), 0)));
        }
    }

    @Test
    public void aCancelIsLookedForOnceInAMillisecond() {
        fake.runsNs.put(first, new long[] {10000});
        requested.plan.with("placements", 1L).with("group", 1L).with("block_timings", 10000L);
        run(requested.measure("a"));
        Message block = (Message) blocks(0, 0).get(0);
        assertEquals(996, ((long[]) block.get("times_ns")).length);
        // Two at each load; of each block one before, one before the dropped run, one behind, and
        // 9 between timings: of the first model after 100 of 10 us each, of the second after each.
        assertEquals(2 * 2 + 2 * blocks(0, 0).size() * (3 + 9), told.checks);
    }

    @Test
    public void inputsAreMadeOnce() {
        run(requested.measure("a"));
        assertEquals(4, fake.allFed.size());
        int same = 0;
        for (byte[] fed : fake.allFed) {
            same += fed == fake.allFed.get(0) ? 1 : 0;
        }
        assertEquals("of one model in each placement", 2, same);
    }
}
