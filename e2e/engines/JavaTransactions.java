import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends into one partition by three producers of Apache Kafka's own client at once: two in transactions that overlap, of which the inner
 * ones are aborted, and one that is idempotent alone. The last thing in the log is the mark of an aborted transaction:
 * {@code JavaTransactions <brokers> <topic> <partition> <rounds>}.
 */
public final class JavaTransactions {
  private static String topic;
  private static int partition;

  public static void main(String[] args) throws Exception {
    topic = args[1];
    partition = Integer.parseInt(args[2]);
    int rounds = Integer.parseInt(args[3]);
    try (Sender committed = new Sender("committed", args[0], true);
        Sender aborted = new Sender("aborted", args[0], true);
        Sender plain = new Sender("idempotent", args[0], false)) {
      for (int round = 0; round < rounds; round++) {
        committed.producer.beginTransaction();
        committed.send(3);
        plain.send(2);
        aborted.producer.beginTransaction();
        aborted.send(3);
        committed.send(3);
        aborted.producer.abortTransaction();
        plain.send(2);
        committed.producer.commitTransaction();
      }
      aborted.producer.beginTransaction();
      aborted.send(3);
      aborted.producer.abortTransaction();
    }
  }

  private static final class Sender implements AutoCloseable {
    final KafkaProducer<String, String> producer;
    private final String device;
    private int sent;

    Sender(String device, String brokers, boolean inTransactions) {
      this.device = device;
      Properties settings = new Properties();
      settings.put("bootstrap.servers", brokers);
      settings.put("enable.idempotence", "true");
      settings.put("max.block.ms", "20000");
      if (inTransactions) settings.put("transactional.id", device);
      StringSerializer text = new StringSerializer();
      producer = new KafkaProducer<>(settings, text, text);
      if (inTransactions) producer.initTransactions();
    }

    /** Sends and waits until the broker has them, so that what the others send comes after. */
    void send(int count) throws Exception {
      for (int i = 0; i < count; i++, sent++) {
        String value = "{\"device\":\"" + device + "\",\"time\":" + (1764000000000L + sent) + ",\"readings\":{\"n\":" + sent + "}}";
        producer.send(new ProducerRecord<>(topic, partition, device, value)).get();
      }
    }

    @Override
    public void close() {
      producer.close();
    }
  }
}
