"""Recomputes hourly rollups with Spark, from the files of cold storage or from the messages in Kafka, and compares them with those Fieldwatch has made.

usage: hourly.py files <folder of readings> <rollups.ndjson>
       hourly.py kafka <brokers> <rollups.ndjson>
Ends with 1 when any differs. For Kafka, SPARK_JARS names the jars of Spark's Kafka source, joined by commas; without it Spark fetches them.
"""
import os
import sys

import pyspark
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

origin, place, rollups = sys.argv[1:]
builder = (
    SparkSession.builder.master("local[2]")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "8")
)
if origin == "kafka":
    jars = os.environ.get("SPARK_JARS")
    source = f"org.apache.spark:spark-sql-kafka-0-10_2.13:{pyspark.__version__}"
    builder = builder.config("spark.jars", jars) if jars else builder.config("spark.jars.packages", source)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


def readings_of_files(folder):
    wide = spark.read.option("mergeSchema", True).parquet(folder)
    metrics = [name for name in wide.columns if name not in ("device", "time", "month")]
    pairs = ", ".join(f"'{name}', `{name}`" for name in metrics)
    return wide.selectExpr("device", "time", f"stack({len(metrics)}, {pairs}) AS (metric, value)").where("value IS NOT NULL")


def readings_of_messages(brokers):
    topic = (
        spark.read.format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", "iot.telemetry")
        .option("startingOffsets", "earliest")
        .load()
    )
    message = f.from_json(f.col("value").cast("string"), "device STRING, time STRING, readings MAP<STRING, STRING>")
    return (
        topic.select(message.alias("message"))
        .selectExpr("message.device", "to_timestamp(message.time) AS time", "explode(message.readings) AS (metric, text)")
        # A boolean counts as 1 or 0; a device's repeat of a reading counts once.
        .selectExpr("device", "time", "metric", "CASE text WHEN 'true' THEN 1D WHEN 'false' THEN 0D ELSE CAST(text AS DOUBLE) END AS value")
        .dropDuplicates(["device", "time", "metric"])
    )


narrow = readings_of_messages(place) if origin == "kafka" else readings_of_files(place)

# Added up in order of time within each minute, then minute by minute, as Fieldwatch does: the sums are the same to the last bit.
minutes = (
    narrow.groupBy("device", "metric", f.date_trunc("minute", "time").alias("minute"))
    .agg(f.array_sort(f.collect_list(f.struct("time", "value"))).alias("points"))
    .selectExpr(
        "device", "metric", "minute", "size(points) AS count",
        "aggregate(points, 0D, (sum, point) -> sum + point.value) AS sum",
        "array_min(transform(points, point -> point.value)) AS min",
        "array_max(transform(points, point -> point.value)) AS max",
        "points[0].value AS first", "element_at(points, -1).value AS last",
    )
)
hours = (
    minutes.groupBy("device", "metric", f.unix_millis(f.date_trunc("hour", "minute")).alias("hour"))
    .agg(
        f.array_sort(f.collect_list(f.struct("minute", "sum", "first", "last"))).alias("parts"),
        f.sum("count").alias("count"), f.min("min").alias("min"), f.max("max").alias("max"),
    )
    .selectExpr(
        "device", "metric", "hour", "count", "aggregate(parts, 0D, (sum, part) -> sum + part.sum) AS sum", "min", "max",
        "parts[0].first AS first", "element_at(parts, -1).last AS last",
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
