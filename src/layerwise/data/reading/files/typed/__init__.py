"""Files whose cells come with types: Parquet, workbooks, JSON lines."""
