//! Compares what orders, stock and payments say, and repairs what can be repaired.
