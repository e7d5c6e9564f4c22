import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;

/**
 * Runs mongo-java-server on a file: {@code MongoServerLauncher <file> <host> <port>}. Its own main class advertises wire
 * version 6, the most it knows is 8, and today's drivers refuse what is older than 9 (MongoDB 4.4).
 */
public final class MongoServerLauncher {
  private static final class Version5 implements MongoVersion {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(5, 0, 0);
    }

    @Override
    public int getWireVersion() {
      return 13;
    }
  }

  public static void main(String[] args) {
    H2Backend backend = new H2Backend(args[0]);
    backend.version(new Version5());
    MongoServer server = new MongoServer(backend);
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    try {
      server.bind(args[1], Integer.parseInt(args[2]));
    } catch (Exception error) {
      // Threads of the storage would keep the process going.
      error.printStackTrace();
      System.exit(1);
    }
  }
}
