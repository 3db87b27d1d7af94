package org.adadeep.agent;

import java.util.logging.Level;
import java.util.logging.Logger;
import org.adadeep.core.Network;
import org.adadeep.core.Runtime;
import org.tensorflow.lite.DirectInterpreter;
import org.tensorflow.lite.TensorFlowLite;

/** Android's TensorFlow Lite, out of a library that is loaded already. */
final class TensorFlowLiteRuntime implements Runtime {
    // Each start it logs three libraries that it did not find, which takes longer than the rest of
    // the start. Kept here: nobody else holds a logger, and a new one would log again.
    private static final Logger QUIET = Logger.getLogger("org.tensorflow.lite.TensorFlowLite");

    static {
        QUIET.setLevel(Level.WARNING);
    }

    private final String version;
    private final DelegateLog log = DelegateLog.ofStderr();

    /** @throws LinkageError the library is not what its Java classes need. */
    TensorFlowLiteRuntime() {
        TensorFlowLite.init();
        version = TensorFlowLite.runtimeVersion() + build();
    }

    /** "+" and 8 digits of the library's SHA-256: two builds of a version are two runtimes. */
    private static String build() {
        String sha256 = System.getProperty("adadeep.library.sha256", "");
        return sha256.length() < 8 ? "" : "+" + sha256.substring(0, 8);
    }

    @Override
    public String name() {
        return "tensorflow-lite";
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Network load(String path, int threads) {
        long logged = log.end();
        return new TensorFlowLiteNetwork(new DirectInterpreter(path, threads), log, logged);
    }
}
