package org.adadeep.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A session: the models of a `measure` request in turn. `PROTOCOL.md` says exactly how. */
final class Session implements Runs.Between {
    private static final long PROGRESS_NS = 2000000000L;
    private static final long LONG_FIRST_NS = 100000000L; // no further runs tell how long one is
    private static final int PART_BYTES = 2000000; // about so long a placement may be on the wire
    private static final int LOADING_SHARE = 4; // timed runs take so many times what loading took
    private static final int MOST_TIMINGS = 10000; // of a block

    private final Device device;
    private final Clocks clocks;
    private final Hooks hooks;
    private final Runs runs;
    private final Message request;
    private final Message settings;
    private final Message plan;
    private final List<Entry> entries = new ArrayList<Entry>();
    private final BlockTexts texts;
    private final Order order;
    private final SleepGuard guard;
    private final double clockNs;
    private final List<double[]> said = new ArrayList<double[]>(); // of each placement
    private final List<Double> loadingsNs = new ArrayList<Double>();
    private Double width;
    private long began;
    private long told;
    private long[] swept; // the buffer of cold runs

    /**
     * @param device to measure with.
     * @param request a checked message.
     * @param hooks told as it goes on.
     */
    Session(Device device, Message request, Hooks hooks) {
        this.device = device;
        this.clocks = device.clocks;
        this.hooks = hooks;
        this.request = request;
        runs = new Runs(clocks, hooks);
        settings = request.map("settings");
        plan = request.map("plan");
        for (Object model : request.list("models")) {
            entries.add(new Entry((Message) model, plan));
        }
        texts = new BlockTexts(request.list("read_block"));
        order = new Order((long) plan.number("seed"));
        guard = new SleepGuard(clocks);
        long[] quality = clocks.quality();
        clockNs = Math.max(quality[0], quality[1]);
    }

    /**
     * Measures.
     *
     * @param isWarm whether this process has measured before.
     * @return the fields of a `result` but `job`, `agent` and `type`.
     * @throws WireError a model or the request can't be served; names the model.
     */
    Message run(boolean isWarm) {
        for (Entry entry : entries) {
            try {
                entry.examine(device.hashes);
            } catch (WireError error) {
                throw error.of(entry.name);
            }
        }
        Memory.require(entries, plan.number("cold_bytes"), Memory.available());
        Message before = reading();
        device.affinity.pin(settings.text("core_mask"));
        try {
            Memory memory = new Memory();
            String ended = placements(isWarm);
            Message after = reading();
            Message peak = memory.report();
            return new Message()
                    .with("settings", settings)
                    .with("plan", plan)
                    .with("read_block", texts.entries())
                    .with("models", results())
                    .with("memory", peak)
                    .with("before", before)
                    .with("after", after)
                    .with("ended", ended)
                    .with("parts", said.size());
        } finally {
            texts.close();
            for (Entry entry : entries) {
                entry.unload();
            }
        }
    }

    private Message reading() {
        return Readings.reading(request.list("read"), request.list("commands"));
    }

    private String placements(boolean isWarm) {
        began = clocks.now();
        told = began;
        double coldBytes = plan.number("cold_runs") > 0 ? plan.number("cold_bytes") : 0;
        swept = new long[(int) Math.ceil(coldBytes / 8)];
        while (true) {
            place(isWarm || !said.isEmpty());
            String ended = Turns.ended(said.size(), width, elapsedMs(), plan);
            if (ended != null) {
                return ended;
            }
        }
    }

    private double elapsedMs() {
        return (clocks.now() - began) / 1e6;
    }

    private void place(boolean isWarm) {
        long loadBegan = clocks.now();
        load();
        double loadingNs = clocks.now() - loadBegan;
        if (!isWarm) {
            for (Entry entry : entries) {
                warmUp(entry);
            }
        }
        long sizing = clocks.now();
        for (Entry entry : entries) {
            if (said.isEmpty()) {
                measureARun(entry);
            }
            entry.runNs = Math.max(1, entry.runNs);
            entry.group = Turns.groupSize(entry.runNs, clockNs, entry.blockNs, plan);
        }
        loadingsNs.add(loadingNs + (clocks.now() - sizing));
        rounds(Turns.median(loadingsNs));
        for (Entry entry : entries) {
            cold(entry);
        }
        guard.look();
        double[][] blocksNs = new double[entries.size()][];
        List<Message> models = new ArrayList<Message>();
        for (int i = 0; i < blocksNs.length; i++) {
            blocksNs[i] = entries.get(i).blocksNs();
            entries.get(i).runNs = Turns.median(blocksNs[i]);
            models.add(entries.get(i).told());
        }
        int placement = said.size();
        said.add(Turns.placementLogs(blocksNs));
        width = Turns.halfWidth(said);
        hooks.part(new Message().with("placement", placement).with("models", models));
    }

    /** Loads every model anew; the old ones are gone before. */
    private void load() {
        for (Entry entry : entries) {
            entry.unload();
        }
        for (int number : order.shuffled(entries.size())) {
            Entry entry = entries.get(number);
            hooks.check();
            try {
                loadOne(entry);
            } catch (WireError error) {
                throw error.of(entry.name);
            }
            timings();
        }
    }

    private void loadOne(Entry entry) {
        entry.model = LoadedModel.load(device.runtime, entry.path, settings, clocks);
        feed(entry);
        entry.firstNs = Math.max(1, runs.one(entry.model));
        entry.blocks.clear();
        entry.placed = new Message()
                .with("load_ns", Math.max(1, entry.model.loadNs))
                .with("first_ns", entry.firstNs)
                .with("cold_ns", new ArrayList<Long>());
    }

    /** Sets the inputs; their values are made once. */
    private void feed(Entry entry) {
        if (entry.fed != null) {
            entry.model.setInputsOf(entry.fed);
            return;
        }
        List<?> sample = entry.samples.isEmpty() ? null : (List<?>) entry.samples.get(0);
        String source = settings.get("input_file") != null ? Inputs.FILE : Inputs.GIVEN;
        entry.model.setInputs(sample, settings.list("input_ranges"), source);
        entry.fed = entry.model;
    }

    private void warmUp(Entry entry) {
        double leastNs = plan.number("warmup_ms") * 1e6;
        if (entry.firstNs > 10 * leastNs) {
            return;
        }
        try {
            runs.dropped(entry.model, 0, leastNs);
        } catch (WireError error) {
            throw error.of(entry.name);
        }
        timings();
    }

    /** Finds out how long a run is, about; later placements know it of the one before. */
    private void measureARun(Entry entry) {
        entry.runNs = entry.firstNs;
        if (entry.firstNs <= LONG_FIRST_NS) {
            try {
                for (int i = 0; i < 2; i++) {
                    entry.runNs = Math.min(entry.runNs, runs.one(entry.model));
                }
            } catch (WireError error) {
                throw error.of(entry.name);
            }
        }
    }

    private void rounds(double loadingNs) {
        double leastNs = Math.max(plan.number("placement_ms") * 1e6, LOADING_SHARE * loadingNs);
        double timedNs = 0;
        int weight = 0;
        texts.pause();
        for (int number = 0; number == 0 || timedNs < leastNs && weight < PART_BYTES; number++) {
            Block[] blocks = round(number);
            if (blocks == null) {
                return;
            }
            for (int i = 0; i < blocks.length; i++) {
                entries.get(i).blocks.add(blocks[i]);
                timedNs += blocks[i].sumNs();
                weight += blocks[i].weight();
            }
            if (elapsedMs() >= plan.number("max_ms")) {
                return;
            }
        }
    }

    /** A block of each model, in the request's order; null if there is no time for it. */
    private Block[] round(int number) {
        Block[] blocks = new Block[entries.size()];
        for (int model : order.shuffled(blocks.length)) {
            if (number > 0 && elapsedMs() > 2 * plan.number("max_ms")) {
                return null;
            }
            Entry entry = entries.get(model);
            try {
                blocks[model] = block(entry, number);
            } catch (WireError error) {
                throw error.of(entry.name);
            }
            guard.look();
            timings();
        }
        return blocks;
    }

    private Block block(Entry entry, int number) {
        hooks.check();
        Block block = new Block();
        block.round = number;
        block.group = entry.group;
        block.core = clocks.core();
        block.before = texts.ahead(block.core);
        block.droppedNs = Clocks.UNKNOWN;
        if (entry.runNs <= 10 * entry.blockNs) {
            double leastNs = plan.number("drop_ms") * 1e6;
            block.droppedNs = runs.dropped(entry.model, plan.whole("drop_runs"), leastNs);
        }
        int most = Math.min(MOST_TIMINGS, 4 * plan.whole("block_timings"));
        block.bootNs = clocks.boot();
        block.startNs = clocks.now();
        long cpu = clocks.cpu();
        block.timesNs = runs.timed(entry.model, entry.group, entry.blockNs, most, this);
        long cpuNow = clocks.cpu();
        boolean isKnown = cpu != Clocks.UNKNOWN && cpuNow != Clocks.UNKNOWN;
        block.cpuNs = isKnown ? Math.max(0, cpuNow - cpu) : Clocks.UNKNOWN;
        block.after = texts.behind(block.core);
        return block;
    }

    private void cold(Entry entry) {
        @SuppressWarnings("unchecked") // `loadOne` put it there
        List<Long> times = (List<Long>) entry.placed.get("cold_ns");
        for (int number = 0; number < plan.whole("cold_runs"); number++) {
            boolean isFirst = said.isEmpty() && number == 0;
            if (!isFirst && elapsedMs() > 2 * plan.number("max_ms")) {
                return;
            }
            hooks.check();
            for (int i = 0; i < swept.length; i++) {
                swept[i]++;
            }
            try {
                times.add(Math.max(1, runs.one(entry.model)));
            } catch (WireError error) {
                throw error.of(entry.name);
            }
        }
    }

    /** Between two timings, and wherever else there is an occasion. */
    @Override
    public void timings() {
        hooks.check();
        long now = clocks.now();
        if (now - told < PROGRESS_NS) {
            return;
        }
        told = now;
        hooks.progress(new Message()
                .with("placement", said.size())
                .with("placements", plan.get("placements"))
                .with("elapsed_ms", Math.round((now - began) / 1e5) / 10.0)
                .with("half_width", width == null ? null : Math.round(width * 1e6) / 1e6));
    }

    private List<Message> results() {
        List<Message> models = new ArrayList<Message>();
        for (Entry entry : entries) {
            try {
                models.add(result(entry));
            } catch (WireError error) {
                throw error.of(entry.name);
            }
        }
        return models;
    }

    private Message result(Entry entry) {
        Message result = new Message()
                .with("name", entry.name)
                .with("model_sha256", entry.sha256)
                .with("model_bytes", entry.bytes)
                .with("delegates", entry.model.delegates())
                .with("inputs", entry.model.inputs());
        List<Object> outputs = new ArrayList<Object>();
        for (Object sample : entry.samples) {
            hooks.check();
            entry.model.setInputs((List<?>) sample, Collections.emptyList(), Inputs.GIVEN);
            runs.one(entry.model);
            outputs.add(entry.model.outputs());
        }
        return result.with("outputs", outputs);
    }
}
