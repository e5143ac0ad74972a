"""Who may come in: the household's secret and access tokens."""
