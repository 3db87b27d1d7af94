package org.adadeep.agent;

import static org.junit.Assert.assertEquals;

import java.io.File;
import java.io.FileWriter;
import java.io.IOException;
import org.adadeep.core.Json;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public final class DelegateLogTest {
    private static final String SAID =
            "Replacing 7 out of 10 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 3"
                    + " partitions for the whole graph.\n";

    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    private static String counted(String said, int planLength) {
        return Json.encode(DelegateLog.counted(said, planLength));
    }

    @Test
    public void aModelWithoutADelegateRunsByTheRuntimesOwnKernels() {
        assertEquals("[{\"name\":\"none\",\"nodes\":13}]", counted("", 13));
        assertEquals("[]", counted("", 0));
    }

    @Test
    public void whatADelegateTookIsCounted() {
        assertEquals("[{\"name\":\"XNNPACK\",\"nodes\":7},{\"name\":\"none\",\"nodes\":3}]",
                counted("INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nVERBOSE: " + SAID,
                        5));
        assertEquals("[{\"name\":\"XNNPACK\",\"nodes\":10}]",
                counted("VERBOSE: " + SAID.replace("7 out", "10 out"), 1));
    }

    @Test
    public void whatIsSaidTwiceInAnotherFormCountsOnce() { // a log that goes to stderr, too
        assertEquals("[{\"name\":\"XNNPACK\",\"nodes\":7},{\"name\":\"none\",\"nodes\":3}]",
                counted("I/tflite: " + SAID + "VERBOSE: " + SAID, 5));
    }

    @Test
    public void severalGraphsAndDelegatesAreAdded() {
        assertEquals("[{\"name\":\"Other\",\"nodes\":7},{\"name\":\"XNNPACK\",\"nodes\":14},"
                + "{\"name\":\"none\",\"nodes\":9}]",
                counted("INFO: " + SAID + "INFO: " + SAID
                        + "INFO: " + SAID.replace("TfLiteXNNPackDelegate", "Other"), 5));
    }

    @Test
    public void onlyWhatIsSaidWhileTheModelWasLoadedCounts() throws IOException {
        File file = folder.newFile();
        DelegateLog log = new DelegateLog(file);
        append(file, "VERBOSE: " + SAID);
        long before = log.end();
        append(file, "VERBOSE: " + SAID);
        long after = log.end();
        append(file, "VERBOSE: " + SAID);
        assertEquals("[{\"name\":\"none\",\"nodes\":4}]",
                Json.encode(log.between(before, before, 4)));
        assertEquals("[{\"name\":\"XNNPACK\",\"nodes\":7},{\"name\":\"none\",\"nodes\":3}]",
                Json.encode(log.between(before, after, 4)));
    }

    @Test
    public void withoutAFileNothingIsCounted() {
        DelegateLog log = new DelegateLog(null);
        assertEquals("[]", Json.encode(log.between(log.end(), log.end(), 4)));
    }

    private static void append(File file, String text) throws IOException {
        FileWriter out = new FileWriter(file, true);
        out.write(text);
        out.close();
    }
}
