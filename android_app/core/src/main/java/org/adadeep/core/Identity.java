package org.adadeep.core;

/** What an agent says of itself. */
public final class Identity {
    final String name;
    final String version;
    final String abi;
    final long pid;

    /**
     * @param name "android-java".
     * @param version of adadeep; the host must have the same.
     * @param abi the kind of code that runs in this process, or null.
     * @param pid of this process.
     */
    public Identity(String name, String version, String abi, long pid) {
        this.name = name;
        this.version = version;
        this.abi = abi;
        this.pid = pid;
    }
}
