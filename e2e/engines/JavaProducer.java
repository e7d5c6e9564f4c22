import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends numbered messages by Apache Kafka's own client, in one batch where they fit:
 * {@code JavaProducer <brokers> <topic> <partition> <compression.type> <count>}.
 */
public final class JavaProducer {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("compression.type", args[3]);
    settings.put("batch.size", "1000000");
    settings.put("linger.ms", "60000");
    settings.put("max.block.ms", "20000");
    int count = Integer.parseInt(args[4]);
    StringSerializer text = new StringSerializer();
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, text, text)) {
      for (int i = 0; i < count; i++) {
        String value = "{\"device\":\"" + args[3] + "\",\"time\":" + (1764000000000L + i) + ",\"readings\":{\"n\":" + i + "}}";
        producer.send(new ProducerRecord<>(args[1], Integer.parseInt(args[2]), "k", value), (sent, error) -> {
          if (error == null) return;
          error.printStackTrace();
          System.exit(1);
        });
      }
      producer.flush();
    }
  }
}
