"""Attribution of a stage to samples of the signal, and epochs that a model finds similar."""
