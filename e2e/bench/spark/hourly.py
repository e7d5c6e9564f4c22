"""Recomputes hourly rollups from the files of cold storage with Spark, and compares them with those Fieldwatch has made.

usage: hourly.py <folder of readings> <rollups.ndjson>; ends with 1 when any differs.
"""
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

readings, rollups = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "8")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")

wide = spark.read.option("mergeSchema", True).parquet(readings)
metrics = [name for name in wide.columns if name not in ("device", "time", "month")]
pairs = ", ".join(f"'{name}', `{name}`" for name in metrics)
narrow = wide.selectExpr("device", "time", f"stack({len(metrics)}, {pairs}) AS (metric, value)").where("value IS NOT NULL")

# Added up in order of time, as Fieldwatch does: the sums are the same to the last bit.
hours = (
    narrow.groupBy("device", "metric", f.unix_millis(f.date_trunc("hour", "time")).alias("hour"))
    .agg(f.array_sort(f.collect_list(f.struct("time", "value"))).alias("points"))
    .selectExpr(
        "device", "metric", "hour", "CAST(size(points) AS BIGINT) AS count",
        "aggregate(points, 0D, (sum, point) -> sum + point.value) AS sum",
        "array_min(transform(points, point -> point.value)) AS min",
        "array_max(transform(points, point -> point.value)) AS max",
        "points[0].value AS first", "element_at(points, -1).value AS last",
    )
)
figures = ["count", "sum", "min", "max", "first", "last"]
types = {"count": "BIGINT"}
ours = spark.read.schema(
    "device STRING, metric STRING, hour BIGINT, " + ", ".join(f"{one} {types.get(one, 'DOUBLE')}" for one in figures)
).json(rollups)

joined = hours.alias("theirs").join(ours.alias("ours"), ["device", "metric", "hour"], "full_outer")
same = " AND ".join(f"theirs.{one} <=> ours.{one}" for one in figures)
found = joined.selectExpr("theirs.count AS readings", f"NOT ({same}) AS differs").cache()
total, readings_read, differing = found.selectExpr("count(*)", "sum(readings)", "count_if(differs)").first()
print(f"Spark {spark.version}: {readings_read:,} readings, {total:,} hourly rollups, {differing:,} differ from ours", flush=True)
if differing:
    joined.where(f"NOT ({same})").show(5, truncate=False)
spark.stop()
sys.exit(1 if differing or not total else 0)
