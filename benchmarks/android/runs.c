/* runs LIBRARY MODEL DROP_MS BLOCK_MS BLOCKS: times a .tflite by TensorFlow Lite's C API as an agent does, without one.

Loads the model, warms it for DROP_MS, then times single runs in BLOCKS blocks of BLOCK_MS; prints the median of the
blocks' medians in ns. The library is the one that the Java agent loads, with XNNPACK as Java has it by default. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Bionic keeps the words behind the thread pointer for itself; glibc gives them to the program. */
__thread long bionic_words[8] __attribute__((aligned(16)));

typedef struct { int32_t threads; char rest[508]; } Options; /* larger than any version's; returned through memory */

static void *library;
static void *get(const char *name) {
  void *symbol = dlsym(library, name);
  if (!symbol) { fprintf(stderr, "no %s\n", name); exit(1); }
  return symbol;
}
#define CALL(type, name, ...) ((type (*)())get(name))(__VA_ARGS__)

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}
static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}
static int64_t median(int64_t *values, int count) {
  qsort(values, count, sizeof *values, ascending);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void *loaded(const char *path) {
  void *options = CALL(void *, "TfLiteInterpreterOptionsCreate");
  CALL(void, "TfLiteInterpreterOptionsSetNumThreads", options, 1);
  Options xnnpack = ((Options (*)(void))get("TfLiteXNNPackDelegateOptionsDefault"))();
  xnnpack.threads = 1;
  CALL(void, "TfLiteInterpreterOptionsAddDelegate", options, CALL(void *, "TfLiteXNNPackDelegateCreate", &xnnpack));
  void *interpreter =
      CALL(void *, "TfLiteInterpreterCreate", CALL(void *, "TfLiteModelCreateFromFile", path), options);
  if (!interpreter || CALL(int, "TfLiteInterpreterAllocateTensors", interpreter)) exit(1);
  return interpreter;
}

/* Each input holds floats of a fixed random stream, 0 to 1: zeros would be faster in some kernels. */
static void fill(void *interpreter) {
  int inputs = CALL(int, "TfLiteInterpreterGetInputTensorCount", interpreter);
  for (int i = 0; i < inputs; i++) {
    void *tensor = CALL(void *, "TfLiteInterpreterGetInputTensor", interpreter, i);
    float *data = CALL(void *, "TfLiteTensorData", tensor);
    size_t count = CALL(size_t, "TfLiteTensorByteSize", tensor) / sizeof(float);
    for (size_t k = 0; k < count; k++) data[k] = rand() / (float)RAND_MAX;
  }
}

int main(int argc, char **argv) {
  if (argc != 6 || !(library = dlopen(argv[1], RTLD_NOW))) {
    fprintf(stderr, "%s\n", argc == 6 ? dlerror() : "usage: runs LIBRARY MODEL DROP_MS BLOCK_MS BLOCKS");
    return 1;
  }
  bionic_words[0] = 0;
  void *interpreter = loaded(argv[2]);
  fill(interpreter);
  int (*invoke)(void *) = (int (*)(void *))get("TfLiteInterpreterInvoke");
  int64_t drop = atof(argv[3]) * 1e6, block = atof(argv[4]) * 1e6;
  int blocks = atoi(argv[5]), most = 1 << 20;
  int64_t *times = malloc(most * sizeof *times), *medians = malloc(blocks * sizeof *medians);
  for (int64_t began = now(); now() - began < drop;) invoke(interpreter);
  for (int i = 0; i < blocks; i++) {
    int count = 0;
    for (int64_t sum = 0; sum < block && count < most; sum += times[count++]) {
      int64_t began = now();
      invoke(interpreter);
      times[count] = now() - began;
    }
    medians[i] = median(times, count);
  }
  printf("%lld\n", (long long)median(medians, blocks));
  return 0;
}
