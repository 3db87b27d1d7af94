package org.adadeep.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public final class SessionTest {
    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    private final FakeDevice fake = new FakeDevice();
    private final Told told = new Told();
    private Requested requested;
    private String first;
    private String second;

    @Before
    public void twoModels() throws IOException {
        requested = new Requested(folder.getRoot());
        first = requested.model("first");
        second = requested.model("second");
    }

    private Message run(boolean isWarm) {
        byte[] line = Channel.line(requested.measure("0a0a0a0a-1"));
        return new Session(fake.device, Requests.decode(line), told).run(isWarm);
    }

    private WireError refused() {
        try {
            run(true);
        } catch (WireError error) {
            return error;
        }
        fail("it was measured");
        return null;
    }

    private List<Message> blocks(int part, int model) {
        List<Message> blocks = new ArrayList<Message>();
        Message placed = (Message) told.parts.get(part).list("models").get(model);
        for (Object block : placed.list("blocks")) {
            blocks.add((Message) block);
        }
        return blocks;
    }

    @Test
    public void modelsAreLoadedAndRunInTheOrdersOfTheSeed() {
        requested.plan.with("placement_ms", 30.0);
        run(true);
        Order order = new Order(7);
        List<String> wanted = new ArrayList<String>();
        for (int placement = 0; placement < 2; placement++) {
            for (int round = -1; round < 2; round++) { // -1: loading
                for (int number : order.shuffled(2)) {
                    wanted.add(number == 0 ? "first" : "second");
                }
            }
        }
        List<String> loads = new ArrayList<String>();
        for (String what : fake.done) {
            if (what.startsWith("load ")) {
                loads.add(what.contains("first") ? "first" : "second");
            }
        }
        assertEquals(Arrays.asList(wanted.get(0), wanted.get(1), wanted.get(6), wanted.get(7)),
                loads);
        assertEquals(wanted.subList(2, 6), begun(0));
        assertEquals(wanted.subList(8, 12), begun(1));
    }

    /** The models of a placement's blocks, as they were begun. */
    private List<String> begun(int part) {
        TreeMap<Double, String> begun = new TreeMap<Double, String>();
        for (int model = 0; model < 2; model++) {
            for (Message block : blocks(part, model)) {
                begun.put(block.number("start_ns"), model == 0 ? "first" : "second");
            }
        }
        return new ArrayList<String>(begun.values());
    }

    @Test
    public void everyPlacementLoadsAnewAndAllIsFreedAtTheEnd() {
        run(true);
        assertEquals(2, fake.count("load " + first));
        assertEquals(2, fake.count("close " + first));
        assertEquals(2, fake.count("close " + second));
        int freed = fake.done.indexOf("close " + second);
        List<String> rest = fake.done.subList(freed, fake.done.size());
        assertTrue("freed before the next is loaded", rest.contains("load " + first));
    }

    @Test
    public void aBlockTimesGroupsUntilItsTimeIsOver() {
        run(true);
        Message block = blocks(0, 0).get(0);
        long[] times = (long[]) block.get("times_ns");
        assertEquals(10, times.length); // 10 runs of 1 ms
        for (long time : times) {
            assertEquals(1000000 + FakeDevice.CLOCK_NS, time);
        }
        assertEquals(1, block.whole("group"));
        assertEquals(1000000 + FakeDevice.CLOCK_NS, block.get("dropped_ns"));
        assertEquals(3L, block.get("core"));
        assertNull(block.get("cpu_ns"));
        assertEquals(0, block.whole("round"));
        assertEquals(block.number("start_ns"), block.number("boot_ns"), 100);
    }

    @Test
    public void shortRunsAreTimedInGroupsOfTheRightSize() {
        fake.runsNs.put(first, new long[] {1000});
        run(true);
        Message block = blocks(0, 0).get(0);
        // 10 ms in 100 timings of runs that seem to take 1,050 ns
        assertEquals((int) Math.ceil(10e6 / (1050 * 100)), block.whole("group"));
        long[] times = (long[]) block.get("times_ns");
        assertEquals(1000L * block.whole("group") + FakeDevice.CLOCK_NS, times[0]);
    }

    @Test
    public void everyRunIsOneThatWasTimedOrDroppedOrNamed() {
        run(true);
        int counted = 2 + 2; // each placement's first; of the session two that tell how long one is
        for (int part = 0; part < 2; part++) {
            for (Message block : blocks(part, 0)) {
                counted += 1; // dropped
                counted += block.whole("group") * ((long[]) block.get("times_ns")).length;
            }
        }
        assertEquals(counted, fake.count("run " + first));
    }

    @Test
    public void aFirstProcessWarmsUpAndALaterOneDoesNot() {
        requested.plan.with("warmup_ms", 20.0);
        run(true);
        int warm = fake.count("run " + first);
        fake.done.clear();
        run(false);
        assertEquals(warm + 20, fake.count("run " + first));
    }

    @Test
    public void aModelThatTakesLongIsNeitherWarmedNorRunToNoPurpose() {
        requested.plan.with("warmup_ms", 20.0);
        fake.runsNs.put(first, new long[] {300000000L});
        run(false);
        int timed = 0;
        for (int part = 0; part < 2; part++) {
            for (Message block : blocks(part, 0)) {
                assertNull(block.get("dropped_ns"));
                timed += ((long[]) block.get("times_ns")).length;
            }
        }
        assertEquals(timed + 2, fake.count("run " + first)); // the first run of each placement
    }

    @Test
    public void aSessionEndsWhereItsIntervalIsNarrow() {
        requested.plan.with("half_width", 0.01).with("placements", 50L)
                .with("least_placements", 4L);
        Message result = run(true);
        assertEquals("narrow", result.text("ended"));
        assertEquals(4, result.whole("parts"));
        assertEquals(4, told.parts.size());
        assertEquals(3, told.parts.get(3).whole("placement"));
    }

    @Test
    public void aSessionEndsWhereItsTimeIsOverAfterAWholePlacement() {
        requested.plan.with("placements", 1000L).with("max_ms", 100.0);
        Message result = run(true);
        assertEquals("time", result.text("ended"));
        assertTrue(result.whole("parts") > 1 && result.whole("parts") < 10);
    }

    @Test
    public void aPlacementGoesOnUntilItsTimedRunsAreWorthItsLoading() {
        requested.plan.with("placement_ms", 100.0);
        run(true);
        assertEquals(5, blocks(0, 0).size()); // 2 models of 10 ms a round
        assertEquals(5, blocks(0, 1).size());
    }

    @Test
    public void aBlockOfItsOwnLengthIsThatOfTheModel() {
        requested.models.get(1).with("block_ms", 3.0);
        run(true);
        assertEquals(10, ((long[]) blocks(0, 0).get(0).get("times_ns")).length);
        assertEquals(3, ((long[]) blocks(0, 1).get(0).get("times_ns")).length);
    }

    @Test
    public void coldRunsAreThereForEachModelAndPlacement() {
        requested.plan.with("cold_runs", 3L).with("cold_bytes", 1000L);
        run(true);
        for (Message part : told.parts) {
            for (Object model : part.list("models")) {
                assertEquals(3, ((Message) model).list("cold_ns").size());
            }
        }
    }

    @Test
    public void progressIsToldEveryTwoSeconds() {
        requested.plan.with("placement_ms", 5000.0).with("placements", 1L);
        run(true);
        assertEquals(2, told.progress.size());
        Message progress = told.progress.get(0);
        assertEquals(2000, progress.number("elapsed_ms"), 20);
        assertNull(progress.get("half_width"));
        assertEquals(1, progress.whole("placements"));
    }

    @Test
    public void aCancelEndsItAtTheNextRunAndFreesTheModels() {
        told.cancelAt = 5;
        try {
            run(true);
            fail("it went on");
        } catch (Cancelled error) {
            assertEquals(fake.count("load " + first), fake.count("close " + first));
            assertEquals(fake.count("load " + second), fake.count("close " + second));
        }
    }

    @Test
    public void whatAModelDoesWrongIsBlamedOnIt() {
        fake.failing.put(second, new IllegalArgumentException("gather index\n out of bounds"));
        WireError error = refused();
        assertEquals(ErrorCode.RUN_FAILED, error.code);
        assertEquals("second", error.model);
        assertTrue(error.getMessage(), error.getMessage().endsWith("gather index out of bounds"));
    }

    @Test
    public void failuresOfLoadingHaveTheCodesOfTheirKinds() {
        Object[][] kinds = {
            {new IllegalArgumentException("Didn't find op for builtin opcode 'CONV_2D' version 9"),
                ErrorCode.UNSUPPORTED_OP},
            {new IllegalArgumentException("The model is not a valid Flatbuffer buffer"),
                ErrorCode.MODEL_CORRUPT},
            {new OutOfMemoryError("no more"), ErrorCode.OUT_OF_MEMORY},
        };
        for (Object[] kind : kinds) {
            fake.unloadable.put(first, (Throwable) kind[0]);
            WireError error = refused();
            assertEquals(kind[1], error.code);
            assertEquals("first", error.model);
        }
    }

    @Test
    public void aModelThatIsMissingOrDamagedIsNamed() throws IOException {
        Requested.write(new java.io.File(second), "another");
        assertEquals(ErrorCode.MODEL_DAMAGED, refused().code);
        assertTrue(new java.io.File(second).delete());
        WireError error = refused();
        assertEquals(ErrorCode.MODEL_MISSING, error.code);
        assertEquals("second", error.model);
        assertTrue(fake.done.isEmpty());
    }

    @Test
    public void aClockThatStandsStillIsRefused() {
        fake.onRun = new Runnable() {
            @Override
            public void run() {
                fake.nowNs -= 2000000;
            }
        };
        assertEquals(ErrorCode.CLOCK_JUMPED, refused().code);
    }

    @Test
    public void aDeviceThatSleptAWhileAtATimeIsNoticed() {
        fake.onRun = new Runnable() {
            @Override
            public void run() {
                fake.asleepNs += 100000000;
            }
        };
        WireError error = refused();
        assertEquals(ErrorCode.SLEPT, error.code);
        assertNull(error.model);
    }

    @Test
    public void coresAreAskedForBeforeAModelIsLoaded() {
        requested.settings.with("core_mask", "f0");
        run(true);
        assertEquals("pin f0", fake.done.get(0));
        requested.settings.with("core_mask", "ff00");
        fake.done.clear();
        assertEquals(ErrorCode.BAD_CORE_MASK, refused().code);
        assertEquals(Arrays.asList("pin ff00"), fake.done);
    }

    @Test
    public void outputsAreGivenForEachSample() {
        Message tensor = Tensors.encode("float32", new int[] {1, 2}, new byte[8]);
        requested.models.get(0).with("inputs", Arrays.asList(
                Arrays.asList(tensor), Arrays.asList(tensor)));
        Message result = run(true);
        Message told = (Message) result.list("models").get(0);
        assertEquals("[[{\"data\":\"AQI=\",\"dtype\":\"uint8\",\"shape\":[2]}],"
                + "[{\"data\":\"AQI=\",\"dtype\":\"uint8\",\"shape\":[2]}]]",
                Json.encode(told.get("outputs")));
        assertTrue(Json.encode(told.get("inputs")).contains("\"fed\":\"given\""));
        assertArrayEquals(new byte[8], fake.fed);
        assertEquals("[]", Json.encode(((Message) result.list("models").get(1)).get("outputs")));
    }

    @Test
    public void outputsThatCantBeReadAreBlamedOnTheModel() {
        requested.models.get(1).with("inputs", Arrays.asList(Arrays.asList(
                Tensors.encode("float32", new int[] {1, 2}, new byte[8]))));
        fake.unreadable = new IllegalArgumentException("DataType error");
        WireError error = refused();
        assertEquals("second run_failed", error.model + " " + error.code);
    }

    @Test
    public void theResultEchoesWhatWasAsked() {
        Message result = run(true);
        assertEquals(Json.encode(requested.plan), Json.encode(result.get("plan")));
        assertEquals(Json.encode(requested.settings), Json.encode(result.get("settings")));
        Message model = (Message) result.list("models").get(0);
        assertEquals(5L, model.get("model_bytes"));
        assertEquals("[{\"name\":\"none\",\"nodes\":4}]", Json.encode(model.get("delegates")));
        assertTrue(result.map("memory").containsKey("peak_rss_bytes"));
        assertEquals("{}", Json.encode(result.map("before").get("texts")));
    }

    @Test
    public void anOpenBatchIsSettledBeforeItIsAllocated() {
        fake.ports = new Port[] {
            new Port("x", "float32", new int[] {2, 2}, new int[] {-1, 2}, false),
        };
        run(true);
        assertEquals("resize [1, 2]", fake.done.get(2));
        assertEquals(8, fake.fed.length);
    }
}
