select device, metric, day
from {{ ref('device_day') }}
group by 1, 2, 3
having count(*) > 1
