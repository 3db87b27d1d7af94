package org.adadeep.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A device whose time is that of its runs: nothing else takes any but reading the clock. */
final class FakeDevice extends Clocks implements Runtime, Affinity {
    static final long CLOCK_NS = 50;
    static final long LOAD_NS = 1000000;

    /** What was done, in order: "load a", "run a", "close a", "pin f0". */
    final List<String> done = new ArrayList<String>();

    /** By path: of a run, in ns; what is not there takes 1 ms. */
    final Map<String, long[]> runsNs = new HashMap<String, long[]>();

    /** By path: thrown by a run. */
    final Map<String, Throwable> failing = new HashMap<String, Throwable>();

    /** By path: thrown when it is loaded. */
    final Map<String, Throwable> unloadable = new HashMap<String, Throwable>();

    /** Thrown when an output is read. */
    Throwable unreadable;

    Port[] ports = {new Port("x", "float32", new int[] {1, 2}, new int[] {-1, 2}, false)};
    byte[] fed;
    final List<byte[]> allFed = new ArrayList<byte[]>();
    long core = 3;
    long nowNs = 1000000000L;
    long asleepNs;
    Runnable onRun;

    final Device device = new Device(this, this, this);

    @Override
    public long now() {
        nowNs += CLOCK_NS;
        return nowNs;
    }

    @Override
    public long boot() {
        return nowNs + asleepNs;
    }

    @Override
    public long cpu() {
        return UNKNOWN;
    }

    @Override
    public long core() {
        return core;
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public String version() {
        return "1";
    }

    @Override
    public void pin(String mask) {
        done.add("pin " + mask);
        if ("ff00".equals(mask)) {
            throw new WireError(ErrorCode.BAD_CORE_MASK, "refused");
        }
    }

    private static void fail(Throwable error) {
        if (error instanceof Error) {
            throw (Error) error;
        }
        if (error != null) {
            throw (RuntimeException) error;
        }
    }

    @Override
    public Network load(String path, int threads) {
        done.add("load " + path);
        nowNs += LOAD_NS;
        fail(unloadable.get(path));
        return new FakeNetwork(path);
    }

    /** How often something was done. */
    int count(String what) {
        int count = 0;
        for (String one : done) {
            count += one.equals(what) ? 1 : 0;
        }
        return count;
    }

    private final class FakeNetwork implements Network {
        private final String path;
        private int runs;

        FakeNetwork(String path) {
            this.path = path;
        }

        @Override
        public Port[] inputs() {
            return ports;
        }

        @Override
        public void resize(int input, int[] shape) {
            done.add("resize " + Arrays.toString(shape));
            Port old = ports[input];
            ports[input] = new Port(old.name, old.dtype, shape, old.signature, old.hasScale);
        }

        @Override
        public void allocate() {
            done.add("allocate " + path);
        }

        @Override
        public void allocated() {
            done.add("allocated " + path);
        }

        @Override
        public void put(int input, byte[] data) {
            fed = data;
            allFed.add(data);
        }

        @Override
        public void invoke() {
            done.add("run " + path);
            fail(failing.get(path));
            long[] times = runsNs.get(path);
            nowNs += times == null ? 1000000 : times[Math.min(runs, times.length - 1)];
            runs++;
            if (onRun != null) {
                onRun.run();
            }
        }

        @Override
        public Port[] outputs() {
            return new Port[] {new Port("y", "uint8", new int[] {2}, new int[] {2}, false)};
        }

        @Override
        public byte[] output(int output) {
            fail(unreadable);
            return new byte[] {1, 2};
        }

        @Override
        public List<Message> delegates() {
            return new ArrayList<Message>(Arrays.asList(
                    new Message().with("name", "none").with("nodes", 4)));
        }

        @Override
        public void close() {
            done.add("close " + path);
        }
    }
}
