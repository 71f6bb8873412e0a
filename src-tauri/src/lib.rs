//! The shell: commands of a few lines, one bridge, settings, windows.
