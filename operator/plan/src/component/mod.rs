//! What runs: one folder per component.
