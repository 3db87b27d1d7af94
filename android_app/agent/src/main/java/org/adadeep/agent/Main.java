package org.adadeep.agent;

import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import org.adadeep.core.Channel;
import org.adadeep.core.Device;
import org.adadeep.core.ErrorCode;
import org.adadeep.core.Identity;
import org.adadeep.core.LinuxClocks;
import org.adadeep.core.Server;
import org.adadeep.core.Version;
import org.adadeep.core.WireError;

/**
 * The agent behind `app_process`: speaks the protocol on stdin and stdout.
 *
 * <p>`Main serve FOLDER`, with the properties adadeep.library, a path, and adadeep.library.sha256.
 * It is started with SIGHUP ignored, for Java can't ignore it itself.
 */
public final class Main {
    private static final int USAGE = 2;
    private static final int MISSING = 44;

    private Main() {}

    public static void main(String[] words) {
        int status = 1;
        try {
            status = run(words);
        } catch (Throwable error) { // whatever it is: an exit status, and a word in the log
            error.printStackTrace();
        }
        System.exit(status); // threads of the runtime need not end by themselves
    }

    private static int run(String[] words) throws IOException {
        boolean isDispatch = words.length == 3 && words[0].equals("dispatch");
        boolean isServe = words.length == 2 && words[0].equals("serve");
        String library = System.getProperty("adadeep.library");
        if (library == null || !(isServe || isDispatch)) {
            System.err.println("usage: app_process -Dadadeep.library=PATH"
                    + " -Dadadeep.library.sha256=HEX FOLDER org.adadeep.agent.Main serve FOLDER");
            return USAGE;
        }
        if (isDispatch) {
            System.load(library);
            return Dispatch.run(words[1], Integer.parseInt(words[2]));
        }
        return serve(new File(words[1]), new File(library));
    }

    private static int serve(File workdir, File library) throws IOException {
        FileOutputStream stdout = new FileOutputStream(FileDescriptor.out);
        System.setOut(System.err); // what prints must not spoil the channel
        String abi = Library.abi();
        String sha256 = System.getProperty("adadeep.library.sha256", "");
        if (!new Library(library, sha256, workdir).isGood(abi)) {
            new PrintStream(stdout, true).println("adadeep: the agent is not here: library " + abi);
            return MISSING;
        }
        Channel channel = new Channel(new FileInputStream(FileDescriptor.in), stdout);
        channel.open();
        String known = Library.isKnown(abi) ? abi : null;
        Identity identity = new Identity("android-java", Version.TEXT, known, ownProcess());
        return new Server(workdir, channel, identity, new Loading(library)).serve();
    }

    private static long ownProcess() throws IOException {
        return Long.parseLong(new File("/proc/self").getCanonicalFile().getName());
    }

    /** Loads the library once the device is ours. */
    private static final class Loading implements Server.Opening {
        private final File library;

        Loading(File library) {
            this.library = library;
        }

        @Override
        public Device open() {
            try {
                System.load(library.getAbsolutePath());
                return new Device(new TensorFlowLiteRuntime(), new LinuxClocks(), new Taskset());
            } catch (LinkageError error) {
                throw new WireError(ErrorCode.NO_RUNTIME,
                        "its TensorFlow Lite can't be loaded: " + error.getMessage());
            }
        }
    }
}
