package org.adadeep.core;

/** What a session measures with and by; one for the life of an agent. */
public final class Device {
    final Runtime runtime;
    final Clocks clocks;
    final Affinity affinity;
    final Hashes hashes = new Hashes();

    public Device(Runtime runtime, Clocks clocks, Affinity affinity) {
        this.runtime = runtime;
        this.clocks = clocks;
        this.affinity = affinity;
    }
}
