-- One row a device, metric and day of UTC, out of hours: days of years in a moment.
select
    device,
    metric,
    max(unit) as unit,
    date_trunc('day', bucket, 'UTC') as day,
    sum(count) as readings,
    sum(sum) / sum(count) as mean,
    min(min) as lowest,
    max(max) as highest
from {{ source('fieldwatch', 'reading_hour') }}
group by device, metric, date_trunc('day', bucket, 'UTC')
