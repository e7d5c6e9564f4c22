import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends numbered messages by Apache Kafka's own client, into each partition in one batch where they fit, by its codec:
 * {@code JavaProducer <brokers> <topic> <count> <partition>:<compression.type> ...}.
 */
public final class JavaProducer {
  public static void main(String[] args) throws Exception {
    for (int i = 3; i < args.length; i++) {
      String[] parts = args[i].split(":");
      send(args[0], args[1], Integer.parseInt(args[2]), Integer.parseInt(parts[0]), parts[1]);
    }
  }

  private static void send(String brokers, String topic, int count, int partition, String codec) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", brokers);
    settings.put("compression.type", codec);
    settings.put("batch.size", "1000000");
    settings.put("linger.ms", "60000");
    settings.put("max.block.ms", "20000");
    StringSerializer text = new StringSerializer();
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, text, text)) {
      for (int i = 0; i < count; i++) {
        String value = "{\"device\":\"" + codec + "\",\"time\":" + (1764000000000L + i) + ",\"readings\":{\"n\":" + i + "}}";
        producer.send(new ProducerRecord<>(topic, partition, "k", value), (sent, error) -> {
          if (error == null) return;
          error.printStackTrace();
          System.exit(1);
        });
      }
      producer.flush();
    }
  }
}
