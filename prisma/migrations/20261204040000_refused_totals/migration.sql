-- The row of all time, whose bucket is -infinity: dead letters by reason since the first, as the positions count them without reasons.
ALTER TABLE pipeline_refused ALTER COLUMN letters TYPE bigint;

INSERT INTO pipeline_refused (bucket, cluster, topic, partition, reason, letters)
SELECT '-infinity', cluster, topic, partition, reason, sum(letters) FROM pipeline_refused GROUP BY 2, 3, 4, 5;

-- Those of longer ago than reasons were kept.
INSERT INTO pipeline_refused (bucket, cluster, topic, partition, reason, letters)
SELECT '-infinity', p.cluster, p.topic, p.partition, 'earlier', sum(p.dead_letters) - coalesce(max(r.letters), 0)
FROM pipeline_position p
LEFT JOIN (SELECT cluster, topic, partition, sum(letters) AS letters FROM pipeline_refused WHERE bucket = '-infinity' GROUP BY 1, 2, 3) AS r
  USING (cluster, topic, partition)
GROUP BY 2, 3, 4 HAVING sum(p.dead_letters) > coalesce(max(r.letters), 0);
