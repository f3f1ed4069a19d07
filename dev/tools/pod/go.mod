module shop-operator.io/tools/pod

go 1.26
