// Runs once, by the mongo image, when the volume is new: the user Fieldwatch signs in as, with no rights outside of its database
// but to ask the server how it is.
db.getSiblingDB("fieldwatch").createUser({
  user: "fieldwatch",
  pwd: process.env.FIELDWATCH_PASSWORD,
  roles: [
    { role: "readWrite", db: "fieldwatch" },
    { role: "dbAdmin", db: "fieldwatch" },
    { role: "clusterMonitor", db: "admin" },
  ],
});
