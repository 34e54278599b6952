"""Whether modern works well: windows of outcomes in, a verdict and the next step of a rollout out."""
