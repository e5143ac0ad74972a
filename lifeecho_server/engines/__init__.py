"""The engines: recognition, generation, speech. Each blocking; none knows trio, sockets or SQL."""
