//! Object names and labels, each made here and nowhere else: `<shop>-<component>[-<shard>]`.
