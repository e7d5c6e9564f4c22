"""Recomputes hourly rollups with Spark, from the messages in Kafka or from the files of cold storage, and compares them with those Fieldwatch has made.

usage: hourly.py kafka <brokers> <rollups.ndjson>
       hourly.py files <folder of readings> <rollups.ndjson>
Ends with 1 when any differs. Spark fetches its Kafka source from Maven Central, in the version of pyspark.
"""
import sys

import pyspark
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

origin, place, rollups = sys.argv[1:]
builder = (
    SparkSession.builder.master("local[2]")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.sql.shuffle.partitions", "8")
    # The faster reader of Parquet before Spark 4.3 doesn't know the encoding BYTE_STREAM_SPLIT.
    .config("spark.sql.parquet.enableVectorizedReader", "false")
)
if origin == "kafka":
    builder = builder.config("spark.jars.packages", f"org.apache.spark:spark-sql-kafka-0-10_2.13:{pyspark.__version__}")
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


def readings_of_files(folder):
    wide = spark.read.option("mergeSchema", True).parquet(folder)
    metrics = [name for name in wide.columns if name not in ("device", "time", "month")]
    pairs = ", ".join(f"'{name}', `{name}`" for name in metrics)
    return wide.selectExpr("device", "time", f"stack({len(metrics)}, {pairs}) AS (metric, value)").where("value IS NOT NULL")


NAME = r"^(?!\.{1,2}$)(?!.*\.rsc$)[A-Za-z0-9_.:-]{1,128}$"
ZONED = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,12})?([Zz]|[+-]\d{2}:\d{2})$"
NUMBER = "^(BIGINT|DECIMAL|DOUBLE)"


def readings_of_messages(brokers):
    """Reads the topic by the rules of a message: what becomes a dead letter, or a field of one, is left out.

    Nothing here may fail for bad data, as Spark asks conditions in whatever order it likes: hence get and TRY_CAST.
    """
    records = (
        spark.read.format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", "iot.telemetry")
        # What was aborted is no message.
        .option("kafka.isolation.level", "read_committed")
        .load()
        .where("octet_length(value) <= 64 * 1024 AND is_valid_utf8(CAST(value AS STRING))")
    )
    # As the one element of an array, as text after a message would be passed over.
    parsed = "from_json('[' || CAST(value AS STRING) || ']', 'ARRAY<VARIANT>', map('allowSingleQuotes', 'false'))"
    messages = (
        records.selectExpr("offset", "timestamp AS came", f"{parsed} AS messages")
        .where("size(messages) = 1")
        .selectExpr("offset", "came", "get(messages, 0) AS message")
        .selectExpr(
            "offset", "came", "try_variant_get(message, '$.device', 'STRING') AS device", "schema_of_variant(message:device) AS type",
            "message:time AS time", "try_variant_get(message, '$.readings', 'MAP<STRING, VARIANT>') AS readings",
        )
        .where(f"type = 'STRING' AND device RLIKE r'{NAME}' AND size(readings) <= 64")
        .selectExpr(
            "offset", "came", "device", "readings", "schema_of_variant(time) AS type",
            "TRY_CAST(time AS STRING) AS text", "TRY_CAST(time AS DOUBLE) AS number",
        )
    )
    # Finer digits than milliseconds are cut off; seconds as a double are off by a little.
    millis = "floor(IF(number < 1e11, number * 1000D + 0.0005D + number * 2e-13D, number))"
    time = f"""CASE WHEN type = 'STRING' AND text RLIKE r'{ZONED}' THEN date_trunc('millisecond', TRY_CAST(upper(text) AS TIMESTAMP))
                    WHEN type RLIKE '{NUMBER}' AND number < 253402300800000D THEN timestamp_millis(TRY_CAST({millis} AS BIGINT)) END"""
    return (
        messages.selectExpr("offset", "came", "device", f"{time} AS time", "readings")
        .where("time BETWEEN TIMESTAMP '1970-01-01' AND came + INTERVAL 10 MINUTES")
        .selectExpr("offset", "device", "time", "explode(readings) AS (metric, value)")
        # A boolean counts as 1 or 0.
        .selectExpr("offset", "device", "time", "metric", "schema_of_variant(value) AS type", "TRY_CAST(value AS DOUBLE) AS value")
        .where(f"metric RLIKE r'{NAME}' AND type RLIKE '{NUMBER}|BOOLEAN' AND abs(value) < DOUBLE('Infinity')")
        # A device's messages are in one partition: of several at one moment the first counts.
        .groupBy("device", "metric", "time")
        .agg(f.min_by("value", "offset").alias("value"))
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
