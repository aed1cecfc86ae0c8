"""The ten cases of the write-up, played on a simulated clock by `bihuan demo --case N`: one file a case."""
