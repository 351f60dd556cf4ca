module oci-chart.test/versus

go 1.26
