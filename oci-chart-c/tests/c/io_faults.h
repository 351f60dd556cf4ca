/* Makes one of the library's calls of the operating system fail. */
#ifndef OCI_CHART_TESTS_IO_FAULTS_H
#define OCI_CHART_TESTS_IO_FAULTS_H

/* From now on calls on files below `directory` are counted, and the `nth` (from 1; 0: none) fails with `number`. */
void io_faults_begin(const char *directory, long nth, int number);
/* Ends that; the result is how many calls there were. */
long io_faults_end(void);

#endif
