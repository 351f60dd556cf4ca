// Package overhead times one cheap function of the library, called from C and from Go.
package overhead

// #cgo !oci_chart_static pkg-config: oci_chart
// #cgo oci_chart_static pkg-config: oci_chart-static
// #cgo oci_chart_static CFLAGS: -DOCI_CHART_STATIC
// #include <oci_chart.h>
//
// static uint32_t many(size_t times)
// {
//     uint32_t sum = 0;
//     for (size_t n = 0; n < times; n++)
//         sum += oci_chart_version_number();
//     return sum;
// }
import "C"

import "time"

// FromC is the time of one call, of many that C makes.
func FromC(times int) time.Duration {
	began := time.Now()
	C.many(C.size_t(times))
	return time.Since(began) / time.Duration(times)
}

// FromGo is the time of one call, of many that Go makes.
func FromGo(times int) time.Duration {
	began := time.Now()
	for range times {
		C.oci_chart_version_number()
	}
	return time.Since(began) / time.Duration(times)
}
