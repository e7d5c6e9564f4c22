/** The text of `npm run replay -- --help`. */
export const HELP = `npm run replay -- <file> [options]

Sends a recording (NDJSON, a JSON array, or CSV; also .gz) of any size to Fieldwatch. The first rows are read before
anything is sent, and shown as what they would become. The closing table counts what the pipeline made of all of them.

By which mapping it is read (docs/sources.md); without, by what is said and found as below
  --mapping FILE     one in a file, as a source's page saves it
  --source NAME      that of a source
  --save-mapping F   writes the mapping by which the file is read, for --mapping or for a source

Where a message keeps its parts (dot-separated paths; for CSV: column names)
  --device P         the device's name          (default device)
  --time P           the event time             (default time; CSV: Date+Time joins two columns)
  --readings P       the object with readings   (default readings; not for CSV)
  --device-name N    one name for every message, when the file has no device

How values are read (what is not said is found out for CSV, and shown)
  --columns MAP      columns to take, renamed if wanted: value=temperature,humidity
  --time-format F    s, ms, us or ns for epochs, or a pattern: "dd/MM/yyyy HH:mm:ss", "M/d/yyyy h:mm a"
  --zone Z           of times without one: UTC, ±HH:MM or Europe/Berlin (default UTC)
  --decimal D        comma or point
  --missing WORDS    also no value, besides blank, NA, N/A, NaN, null, none, unknown, unavailable, ?, -, \\N: -999,ERR
  --booleans PAIRS   words for true and false: on/off,open/closed
  --text COLUMNS     stay text whatever they look like; --number COLUMNS are numbers

How CSV is laid out
  --skip N           rows before the header
  --header NAMES     names of the columns, for a file without a header line or with a bad one
  --metric-column C  a long file: the column with each row's metric; --value-column C holds its value
  --unit-column C    the column with the unit of each row's values
  --delimiter C      between fields: "," ";" "|" or tab
  --format F         ndjson, json or csv        (default: by name and content)

How it is sent
  --dry-run          shows what the first rows would become, and sends nothing; --check is the same
  --anyway           sends although nothing of the first rows can be read
  --max-refused P    exit code 3 if of more than P % something is refused (default 1, and any of which all is)
  --speed N|max      1 as recorded, 60 an hour a minute, max without waiting (default max)
  --shift-to-now     moves all times so that the recording plays as if it were now
  --url U            Fieldwatch's address       (default: this machine's, from HOST and PORT)
  --batch N          messages in one request    (default 500)
  --wait S           seconds to wait for a server or a worker that is away (default 300)
  --restart          from the beginning, instead of where an interrupted replay stopped

Examples
  npm run replay -- environment.ndjson --device device --time ts --readings data
  npm run replay -- machine.csv --device-name machine-1 --time timestamp --columns value=temperature
  npm run replay -- air.csv --device-name air --time Date+Time --time-format "dd/MM/yyyy HH.mm.ss" --missing -200
  npm run replay -- history.csv --device-name home --time last_changed --metric-column entity_id --value-column state
  npm run replay -- payloads.ndjson --source greenhouse --dry-run
  npm run replay -- yesterday.json --speed 60 --shift-to-now

Exit codes: 0 done, 1 the server or the file gave out, 2 wrong use, 3 too much was refused, 130 interrupted.
`;
